/* SPDX-License-Identifier: MIT */
/* Pace, memory, counts and what was found wrong. */
#include "torture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_SHOWN 20

/* On per-CPU counters; where there is no memory for them, on atomic ones. */
static struct tally {
	uint64_t count[NR_COUNTS];
} * tally;
static struct tally atomic_tally;

static uint64_t found[NR_CHECKS];

uint64_t failures(enum check check)
{
	return __atomic_load_n(&found[check], __ATOMIC_RELAXED);
}

uint64_t all_failures(void)
{
	uint64_t sum = 0;

	for (enum check check = 0; check < NR_CHECKS; check++)
		sum += failures(check);
	return sum;
}

const char *check_name(enum check check)
{
	static const char *const names[NR_CHECKS] = {
		[CHECK_PIPE] = "pipe",
		[CHECK_MEMORY] = "memory",
		[CHECK_COOKIE] = "cookie",
		[CHECK_CALLBACK] = "callback",
		[CHECK_BARRIER] = "barrier",
		[CHECK_SUMS] = "sums",
		[CHECK_PROGRESS] = "progress",
		[CHECK_FORK] = "fork",
		[CHECK_RETURN] = "return",
		[CHECK_REPORT] = "report",
	};

	return names[check];
}

static char *append(char *to, const char *end, const char *text)
{
	while (*text && to < end)
		*to++ = *text++;
	return to;
}

static char *append_number(char *to, const char *end, uint64_t number)
{
	char digits[24], *first = digits + sizeof(digits) - 1;

	*first = '\0';
	do {
		*--first = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return append(to, end, first);
}

/* By hand, since a handler may be where it is found. */
void failed(enum check check, const char *what, uint64_t number)
{
	int saved_errno = errno;
	char line[256], *to = line;
	const char *end = line + sizeof(line) - 1;

	if (all_failures() < MOST_SHOWN) {
		to = append(to, end, "srcutorture: ");
		to = append(to, end, check_name(check));
		to = append(to, end, ": ");
		to = append(to, end, what);
		to = append(to, end, " (");
		to = append_number(to, end, number);
		to = append(to, end, ")");
		*to++ = '\n';
		if (write(STDERR_FILENO, line, (size_t)(to - line)) < 0)
			errno = saved_errno;
	}
	/* What a child does not say by its status its parent does not learn. */
	if (in_child)
		_exit(CHILD_FAILED);
	__atomic_fetch_add(&found[check], 1, __ATOMIC_RELAXED);
	errno = saved_errno;
}

void tally_begin(void)
{
	tally = alloc_percpu(struct tally);
}

void tally_up(enum count count)
{
	if (tally)
		this_cpu_inc(tally->count[count]);
	else
		__atomic_fetch_add(&atomic_tally.count[count], 1, __ATOMIC_RELAXED);
}

uint64_t tallied(enum count count)
{
	return tally ? percpu_sum(&tally->count[count])
		     : __atomic_load_n(&atomic_tally.count[count], __ATOMIC_RELAXED);
}

const char *count_name(enum count count)
{
	static const char *const names[NR_COUNTS] = {
		[COUNT_SECTIONS] = "sections",
		[COUNT_KICKS] = "kicks",
		[COUNT_TIMERS] = "timers",
		[COUNT_ACROSS] = "across",
		[COUNT_WAITS] = "waits",
		[COUNT_POLLS] = "polls",
		[COUNT_CALLBACKS] = "callbacks",
		[COUNT_BARRIERS] = "barriers",
		[COUNT_FLOODS] = "floods",
		[COUNT_THREADS] = "threads",
		[COUNT_DOMAINS] = "domains",
		[COUNT_SHUFFLES] = "shuffles",
		[COUNT_FORKS] = "forks",
	};

	return names[count];
}

/* For the pace of things only: a signal ends it early. */
void nap_ns(uint64_t ns)
{
	struct timespec ts = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};

	nanosleep(&ts, NULL);
}

void spin(uint64_t loops)
{
	for (uint64_t i = 0; i < loops; i++)
		__asm__ __volatile__("");
}

void *zalloc_lines(size_t size)
{
	void *p;

	size = (size + LINE - 1) / LINE * LINE;
	p = aligned_alloc(LINE, size);
	if (!p)
		die(0, "no memory for %zu bytes", size);
	return memset(p, 0, size);
}
