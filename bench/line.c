/* SPDX-License-Identifier: MIT */
/*
 * The domains, the scanning thread and the timed loop.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include <srcu/srcu.h>

#include "bench/line.h"
#include "bench/shim.h"

/* So many that one is found that is not on the readers' line, and that gaps are filled. */
#define DOMAINS 16

const char *const line_names[LINE_SCANS] = {"no_scan", "other_line", "same_line"};

static struct srcu_struct read_domain;
static struct srcu_struct domains[DOMAINS];
static unsigned int nr_domains;

static struct {
	uint64_t scans __attribute__((aligned(128)));
	struct srcu_struct *domain __attribute__((aligned(128)));
	pthread_t thread;
	bool stop;
} scanner;

/* An int token is the place of the counters, in units of 16 bytes. */
static int line_of(struct srcu_struct *ssp)
{
	int idx = srcu_read_lock(ssp);

	srcu_read_unlock(ssp, idx);
	return idx / 4;
}

/* The readers' in the middle: on its line is the one before or the one after. */
static int init_domains(void)
{
	static const struct srcu_options fenced = {.readers = SRCU_READERS_FENCED};
	int error = 0;

	while (!error && nr_domains < DOMAINS) {
		if (nr_domains == DOMAINS / 2)
			error = init_srcu_struct(&read_domain);
		if (!error)
			error = init_srcu_struct_with(&domains[nr_domains], &fenced);
		nr_domains += !error;
	}
	return error;
}

static void cleanup_domains(void)
{
	while (nr_domains)
		cleanup_srcu_struct(&domains[--nr_domains]);
	cleanup_srcu_struct(&read_domain);
}

static struct srcu_struct *find_domain(bool same_line)
{
	int line = line_of(&read_domain);

	for (unsigned int i = 0; i < nr_domains; i++)
		if ((line_of(&domains[i]) == line) == same_line)
			return &domains[i];
	return NULL;
}

/* Relaxed: stop and the number carry no data. */
static void *scan(void *unused)
{
	pin_beside();
	while (!__atomic_load_n(&scanner.stop, __ATOMIC_RELAXED)) {
		synchronize_srcu(scanner.domain);
		__atomic_store_n(&scanner.scans, scanner.scans + 1, __ATOMIC_RELAXED);
	}
	return unused;
}

uint64_t line_scans(void)
{
	return __atomic_load_n(&scanner.scans, __ATOMIC_RELAXED);
}

static int start_scanner(bool same_line)
{
	int error;

	scanner.scans = 0;
	scanner.stop = false;
	scanner.domain = find_domain(same_line);
	if (!scanner.domain)
		return -ENOENT;
	error = pthread_create(&scanner.thread, NULL, scan, NULL);
	while (!error && !line_scans())
		sched_yield();
	return -error;
}

int line_start(enum line_scan scan_of)
{
	int error = init_domains();

	if (!error && scan_of != LINE_NO_SCAN)
		error = start_scanner(scan_of == LINE_SAME);
	if (error)
		cleanup_domains();
	return error;
}

void line_stop(enum line_scan scan_of)
{
	if (scan_of != LINE_NO_SCAN) {
		__atomic_store_n(&scanner.stop, true, __ATOMIC_RELAXED);
		pthread_join(scanner.thread, NULL);
	}
	cleanup_domains();
}

void line_read(long n)
{
	for (; n > 0; n--) {
		struct srcu_ctr *ctr = srcu_read_lock_fast(&read_domain);

		srcu_read_unlock_fast(&read_domain, ctr);
	}
}
