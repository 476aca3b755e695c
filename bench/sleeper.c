/* SPDX-License-Identifier: MIT */
/*
 * The thread that sleeps.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <time.h>

#include "bench/shim.h"
#include "bench/sleeper.h"

static struct sleeper what;
static pthread_t thread;
static sem_t asleep; /* posted before each sleep */
static sem_t awaken; /* posted once, at the end */
static bool ending;  /* the thread's own */

static void sleep_once(void)
{
	uint64_t end = clock_ns() + what.ns;
	struct timespec until = {
		.tv_sec = (time_t)(end / 1000000000u), .tv_nsec = (long)(end % 1000000000u)};

	sem_post(&asleep);
	ending = !sem_clockwait(&awaken, CLOCK_MONOTONIC, &until);
}

static void *run_sleeper(void *unused)
{
	pin_off_readers();
	if (what.enter)
		what.enter();
	while (!ending)
		what.round(sleep_once);
	if (what.leave)
		what.leave();
	return unused;
}

static void destroy(void)
{
	sem_destroy(&awaken);
	sem_destroy(&asleep);
}

int sleeper_start(const struct sleeper *sleeper)
{
	int error;

	what = *sleeper;
	ending = false;
	sem_init(&asleep, 0, 0);
	sem_init(&awaken, 0, 0);
	error = pthread_create(&thread, NULL, run_sleeper, NULL);
	if (error)
		destroy();
	else
		sem_wait(&asleep);
	return error;
}

void sleeper_stop(void)
{
	sem_post(&awaken);
	pthread_join(thread, NULL);
	destroy();
}
