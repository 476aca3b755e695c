/* SPDX-License-Identifier: MIT */
/*
 * The noise of the machine.  Called from the program's main thread only.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/noise.h"
#include "bench/reader.h"
#include "bench/shim.h"

/* What is too much; a quiet machine stays far below each. */
#define MOST_SPREAD 1.05 /* of the loop's quartiles */
#define LEAST_SHARE 0.97
#define MOST_STEAL  0.01
#define MOST_OTHERS 0.05

static struct {
	uint32_t *ns;
	size_t nr, room;
	uint64_t wall_ns, cpu_ns;
} probes;

/* Clock ticks of all CPUs together, and seconds of this program on any. */
struct use {
	unsigned long long all, busy, steal;
	double ours;
};

static struct use at_begin;
static double load_at_begin;

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double program_seconds(int who)
{
	struct rusage usage;

	if (getrusage(who, &usage))
		return 0;
	return seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
}

static struct use use_now(void)
{
	unsigned long long user, nice, system, idle, iowait, irq, softirq, steal;
	struct use use = {.ours = program_seconds(RUSAGE_SELF) + program_seconds(RUSAGE_CHILDREN)};
	FILE *f = fopen("/proc/stat", "re");

	if (!f)
		return use;
	if (fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
		    &iowait, &irq, &softirq, &steal) == 8) {
		use.busy = user + nice + system + irq + softirq;
		use.all = use.busy + idle + iowait + steal;
		use.steal = steal;
	}
	fclose(f);
	return use;
}

void noise_begin(void)
{
	if (getloadavg(&load_at_begin, 1) != 1)
		load_at_begin = 0;
	at_begin = use_now();
}

/* Every multiplication waits for the one before: the time is the core's clock's. */
static void work(void)
{
	uint64_t x = 1;

	for (int i = 0; i < 300000; i++) {
		x *= 3;
		__asm__ volatile("" : "+r"(x));
	}
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec t = {0, 0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return timespec_ns(&t);
}

static void keep(uint64_t ns)
{
	if (probes.nr == probes.room) {
		size_t room = probes.room ? 2 * probes.room : 1024;
		uint32_t *more = realloc(probes.ns, room * sizeof(*more));

		if (!more)
			return;
		probes.ns = more;
		probes.room = room;
	}
	probes.ns[probes.nr++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

void noise_probe(void)
{
	uint64_t cpu, began, took;

	pin_here();
	began = clock_ns();
	cpu = thread_cpu_ns();
	work();
	probes.cpu_ns += thread_cpu_ns() - cpu;
	took = clock_ns() - began;
	probes.wall_ns += took;
	keep(took);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

bool noise_end(struct noise *n)
{
	struct use now = use_now();
	double all = (double)(now.all - at_begin.all);
	double ours = (now.ours - at_begin.ours) * (double)sysconf(_SC_CLK_TCK);

	if (!probes.nr)
		return false;
	qsort(probes.ns, probes.nr, sizeof(*probes.ns), compare);
	*n = (struct noise){
		.probes = probes.nr,
		.low_ns = probes.ns[probes.nr / 4],
		.median_ns = probes.ns[probes.nr / 2],
		.high_ns = probes.ns[probes.nr - 1 - probes.nr / 4],
		.cpu_share = (double)probes.cpu_ns / (double)probes.wall_ns,
		.load = load_at_begin,
	};
	if (all > 0) {
		double others = ((double)(now.busy - at_begin.busy) - ours) / all;

		n->steal = (double)(now.steal - at_begin.steal) / all;
		/* Ticks are coarse: of a short run, it may come out below. */
		n->others = others > 0 ? others : 0;
	}
	return true;
}

/* Add to the reasons in @text, of which @used bytes are in use. */
__attribute__((format(printf, 4, 0))) static void add_reason(
	char *text, size_t size, size_t *used, const char *format, double value)
{
	if (*used && *used < size)
		*used += (size_t)snprintf(text + *used, size - *used, "; ");
	if (*used < size)
		*used += (size_t)snprintf(text + *used, size - *used, format, value);
}

bool noise_warning(const struct noise *n, char *text, size_t size)
{
	size_t used = 0;

	if (n->high_ns > MOST_SPREAD * n->low_ns)
		add_reason(text, size, &used,
			"the quartiles of a loop of fixed work are %.0f %% apart",
			(n->high_ns / n->low_ns - 1) * 100);
	if (n->cpu_share < LEAST_SHARE)
		add_reason(text, size, &used, "the program had its CPU for %.0f %% of the time",
			n->cpu_share * 100);
	if (n->steal > MOST_STEAL)
		add_reason(text, size, &used, "a hypervisor took %.1f %% of the CPUs' time",
			n->steal * 100);
	if (n->others > MOST_OTHERS)
		add_reason(text, size, &used, "other programs used %.0f %% of the CPUs' time",
			n->others * 100);
	return used > 0;
}
