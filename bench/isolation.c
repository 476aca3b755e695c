/* SPDX-License-Identifier: MIT */
/*
 * The thread that sleeps, and the list of peers that it sleeps beside.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "bench/isolation.h"
#include "bench/reader.h"
#include "bench/shim.h"

#define SLEEP_NS 100000000u

const struct isolation_peer *const isolation_peers[] = {
	&isolation_srcu,
	&isolation_srcu_alone,
#ifdef HAVE_LIBURCU
	&isolation_urcu_memb,
#endif
	NULL,
};

const char *const isolation_names[ISOLATION_CALLS] = {
	[ISOLATION_SYNCHRONIZE] = "synchronize",
	[ISOLATION_CALL] = "call",
	[ISOLATION_BARRIER] = "barrier",
	[ISOLATION_POLL] = "poll",
};

static pthread_t sleeper;
static sem_t asleep; /* posted before each sleep */
static sem_t awaken; /* posted once, at the end */
static bool ending;  /* of the sleeper's own */

static void sleep_once(void)
{
	uint64_t end = now_ns() + SLEEP_NS;
	struct timespec until = {
		.tv_sec = (time_t)(end / 1000000000u), .tv_nsec = (long)(end % 1000000000u)};

	sem_post(&asleep);
	ending = !sem_clockwait(&awaken, CLOCK_MONOTONIC, &until);
}

static void *run_sleeper(void *arg)
{
	const struct isolation_peer *peer = arg;

	pin_off_readers();
	if (peer->enter)
		peer->enter();
	while (!ending)
		peer->round(sleep_once);
	if (peer->leave)
		peer->leave();
	return NULL;
}

int isolation_start(const struct isolation_peer *peer)
{
	int error = peer->begin();

	if (error)
		return error;
	sem_init(&asleep, 0, 0);
	sem_init(&awaken, 0, 0);
	ending = false;
	error = pthread_create(&sleeper, NULL, run_sleeper, (void *)peer);
	if (error) {
		peer->end();
		return -error;
	}
	sem_wait(&asleep);
	return 0;
}

void isolation_stop(const struct isolation_peer *peer)
{
	sem_post(&awaken);
	pthread_join(sleeper, NULL);
	peer->end();
}
