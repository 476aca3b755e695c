/* SPDX-License-Identifier: MIT */
/*
 * The list of peers that replace tables, and the thread that injects meanwhile.
 * Called from the program's main thread only.
 */
#include <pthread.h>
#include <sched.h>

#include "bench/shim.h"
#include "bench/sleeper.h"
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

/* Relaxed: stop and the number carry no data. */
static void *run_injector(void *unused)
{
	pin_beside();
	if (peer->enter)
		peer->enter();
	while (!__atomic_load_n(&injector.stop, __ATOMIC_RELAXED)) {
		injector.bad += peer->inject(BATCH);
		__atomic_store_n(&injector.injected, injector.injected + BATCH, __ATOMIC_RELAXED);
	}
	if (peer->leave)
		peer->leave();
	return unused;
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
	const struct sleeper sleeper = {
		.ns = SLEEP_NS, .round = p->round, .enter = p->enter, .leave = p->leave};
	int error;

	peer = p;
	pin_off_readers();
	peer->begin(nr);
	error = sleeper_start(&sleeper);
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
