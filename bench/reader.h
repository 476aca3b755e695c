/* SPDX-License-Identifier: MIT */
/*
 * A background reader of the grace-period benchmarks, for the adapters' read
 * loops: what it does in each round and when to stop.  Owned by shim.c, which
 * runs the threads.
 */
#ifndef BENCH_READER_H
#define BENCH_READER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "bench/peer.h"

struct reader {
	/* Written by the reader; on a line of its own. */
	uint64_t sections __attribute__((aligned(128)));

	/* Written before the reader starts, and stop at its end. */
	uint64_t in_ns __attribute__((aligned(128)));
	uint64_t out_ns;
	const struct peer *peer;
	int cpu;
	pthread_t thread;
	bool stop;
};

static inline uint64_t timespec_ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return timespec_ns(&now);
}

/* A time that is kept among many others. */
static inline uint32_t short_ns(uint64_t ns)
{
	return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static inline void spend_ns(uint64_t ns)
{
	uint64_t end;

	if (!ns)
		return;
	end = now_ns() + ns;
	while (now_ns() < end)
		;
}

/* For as long as @spins turns of a loop take; spins_in() tells how many. */
static inline void spin(unsigned long spins)
{
	for (; spins; spins--)
		__asm__ volatile("" : "+r"(spins));
}

/* Relaxed: it carries no data; what the reader wrote is read after the join. */
static inline bool reader_goes_on(const struct reader *reader)
{
	return !__atomic_load_n(&reader->stop, __ATOMIC_RELAXED);
}

/*
 * After each section: count it and spend the time outside.  Relaxed: the
 * updater wants a number, not what came before it.
 */
static inline void reader_outside(struct reader *reader)
{
	__atomic_store_n(&reader->sections, reader->sections + 1, __ATOMIC_RELAXED);
	spend_ns(reader->out_ns);
}

#endif /* BENCH_READER_H */
