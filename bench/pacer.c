/* SPDX-License-Identifier: MIT */
/*
 * The thread that keeps a pace.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/pacer.h"
#include "bench/reader.h"
#include "bench/shim.h"

static struct {
	/* Written by the thread; on a line of its own. */
	uint64_t acts __attribute__((aligned(128)));

	/* Written before the thread starts, and stop at its end. */
	struct paced paced __attribute__((aligned(128)));
	uint64_t period_ns;
	int schedstat; /* how the thread fares with the scheduler; negative: not known */
	pthread_t thread;
	bool stop;
} pacer;

/*
 * Relaxed: stop carries no data.  Release, for who asks how often: what the thread
 * wrote when it began is seen then.
 */
static void keep_pace(void)
{
	uint64_t due = now_ns();

	while (!__atomic_load_n(&pacer.stop, __ATOMIC_RELAXED)) {
		uint64_t now = now_ns();

		if (now < due)
			continue;
		pacer.paced.act(pacer.paced.with);
		__atomic_store_n(&pacer.acts, pacer.acts + 1, __ATOMIC_RELEASE);
		/* What was not done in time is not made up for. */
		due += pacer.period_ns;
		if (due < now)
			due = now;
	}
}

static void *run_pacer(void *unused)
{
	pin_beside();
	pacer.schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
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
	if (pacer.schedstat >= 0)
		close(pacer.schedstat);
}

uint64_t pacer_acts(void)
{
	return __atomic_load_n(&pacer.acts, __ATOMIC_ACQUIRE);
}

uint64_t pacer_delay_ns(void)
{
	char text[64], *delay;
	ssize_t length = -1;

	if (pacer.schedstat >= 0)
		length = pread(pacer.schedstat, text, sizeof(text) - 1, 0);
	if (length < 0)
		return 0;
	text[length] = '\0';
	/* The time on a CPU comes first. */
	(void)strtoull(text, &delay, 10);
	return strtoull(delay, NULL, 10);
}

uint64_t preemptions_here(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : (uint64_t)usage.ru_nivcsw;
}
