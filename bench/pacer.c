/* SPDX-License-Identifier: MIT */
/*
 * The thread that keeps a pace.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "bench/pacer.h"
#include "bench/reader.h"
#include "bench/shim.h"

static struct {
	/* Written by the thread; on a line of its own. */
	uint64_t acts __attribute__((aligned(128)));

	/* Written before the thread starts, and stop at its end. */
	struct paced paced __attribute__((aligned(128)));
	uint64_t period_ns;
	pthread_t thread;
	bool stop;
} pacer;

/* Relaxed: stop and the number carry no data. */
static void keep_pace(void)
{
	uint64_t due = now_ns();

	while (!__atomic_load_n(&pacer.stop, __ATOMIC_RELAXED)) {
		uint64_t now = now_ns();

		if (now < due)
			continue;
		pacer.paced.act(pacer.paced.with);
		__atomic_store_n(&pacer.acts, pacer.acts + 1, __ATOMIC_RELAXED);
		/* What was not done in time is not made up for. */
		due += pacer.period_ns;
		if (due < now)
			due = now;
	}
}

static void *run_pacer(void *unused)
{
	pin_beside();
	if (pacer.paced.enter)
		pacer.paced.enter();
	keep_pace();
	if (pacer.paced.leave)
		pacer.paced.leave();
	return unused;
}

int pacer_start(const struct paced *paced, unsigned int per_ms)
{
	int error;

	pacer.paced = *paced;
	pacer.period_ns = 1000000u / per_ms;
	pacer.acts = 0;
	pacer.stop = false;
	error = pthread_create(&pacer.thread, NULL, run_pacer, NULL);
	while (!error && !pacer_acts())
		sched_yield();
	return error;
}

void pacer_stop(void)
{
	__atomic_store_n(&pacer.stop, true, __ATOMIC_RELAXED);
	pthread_join(pacer.thread, NULL);
}

uint64_t pacer_acts(void)
{
	return __atomic_load_n(&pacer.acts, __ATOMIC_RELAXED);
}

uint64_t preemptions_here(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : (uint64_t)usage.ru_nivcsw;
}
