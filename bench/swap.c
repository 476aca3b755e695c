/* SPDX-License-Identifier: MIT */
/*
 * The list of peers that replace tables, the thread that injects meanwhile, and
 * the one that sleeps.  Called from the program's main thread only.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "bench/shim.h"
#include "bench/swap-table.h"
#include "bench/swap.h"

#define SLEEP_NS 10000000u
#define BATCH    64

const struct swap_peer *const swap_peers[] = {
	&swap_model,
	&swap_srcu,
	&swap_srcu_expedited,
#ifdef HAVE_LIBURCU
	&swap_urcu_memb,
#endif
	&swap_rwlock,
	NULL,
};

struct lapic swap_lapic = {.enabled = 1};

static const struct swap_peer *peer;

static struct {
	/* Written by the injector; on a line of its own. */
	uint64_t injected __attribute__((aligned(128)));
	unsigned long bad;

	/* Set at its end. */
	bool stop __attribute__((aligned(128)));
	pthread_t thread;
} injector;

static struct {
	pthread_t thread;
	sem_t asleep; /* posted before each sleep */
	sem_t awaken; /* posted once, at the end */
	bool ending;  /* the sleeper's own */
} sleeper;

static void enter(void)
{
	if (peer->enter)
		peer->enter();
}

static void leave(void)
{
	if (peer->leave)
		peer->leave();
}

/* Relaxed: stop and the number carry no data. */
static void *run_injector(void *unused)
{
	pin_beside();
	enter();
	while (!__atomic_load_n(&injector.stop, __ATOMIC_RELAXED)) {
		injector.bad += peer->inject(BATCH);
		__atomic_store_n(&injector.injected, injector.injected + BATCH, __ATOMIC_RELAXED);
	}
	leave();
	return unused;
}

static void sleep_once(void)
{
	uint64_t end = clock_ns() + SLEEP_NS;
	struct timespec until = {
		.tv_sec = (time_t)(end / 1000000000u), .tv_nsec = (long)(end % 1000000000u)};

	sem_post(&sleeper.asleep);
	sleeper.ending = !sem_clockwait(&sleeper.awaken, CLOCK_MONOTONIC, &until);
}

static void *run_sleeper(void *unused)
{
	enter();
	while (!sleeper.ending)
		peer->round(sleep_once);
	leave();
	return unused;
}

static void sleeper_stop(void)
{
	sem_post(&sleeper.awaken);
	pthread_join(sleeper.thread, NULL);
	sem_destroy(&sleeper.awaken);
	sem_destroy(&sleeper.asleep);
}

static int sleeper_start(void)
{
	int error;

	sleeper.ending = false;
	sem_init(&sleeper.asleep, 0, 0);
	sem_init(&sleeper.awaken, 0, 0);
	error = pthread_create(&sleeper.thread, NULL, run_sleeper, NULL);
	if (!error)
		sem_wait(&sleeper.asleep);
	return error;
}

static int injector_start(void)
{
	int error;

	injector.injected = 0;
	injector.bad = 0;
	injector.stop = false;
	error = pthread_create(&injector.thread, NULL, run_injector, NULL);
	while (!error && !swap_injected())
		sched_yield();
	return error;
}

int swap_start(const struct swap_peer *p, size_t nr)
{
	int error;

	peer = p;
	pin_off_readers();
	peer->begin(nr);
	error = sleeper_start();
	if (!error) {
		error = injector_start();
		if (error)
			sleeper_stop();
	}
	if (error)
		peer->end();
	pin_here();
	return error;
}

uint64_t swap_injected(void)
{
	return __atomic_load_n(&injector.injected, __ATOMIC_RELAXED);
}

bool swap_stop(void)
{
	__atomic_store_n(&injector.stop, true, __ATOMIC_RELAXED);
	pthread_join(injector.thread, NULL);
	sleeper_stop();
	peer->end();
	return injector.bad == 0;
}
