/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that come at a fixed rate while a reader is slow: how many wait at a
 * time.  The reader sleeps in its sections, so that the threads that invoke have
 * its CPU.  Called from the program's main thread only.
 */
#include <pthread.h>
#include <stdbool.h>
#include <semaphore.h>

#include "bench/callbacks.h"
#include "bench/reader.h"
#include "bench/shim.h"

static pthread_t thread;
static sem_t inside; /* posted when the reader is in its first section */
static bool stop;

/* On a line of its own: the invoker writes it. */
static uint64_t invoked __attribute__((aligned(128)));

/* Relaxed: the one who queues wants a number. */
void callbacks_count(void)
{
	__atomic_fetch_add(&invoked, 1, __ATOMIC_RELAXED);
}

static void *run_reader(void *arg)
{
	static const struct timespec section = {.tv_nsec = BACKLOG_SECTION_NS};
	const struct callback_peer *peer = arg;

	pin_off_readers();
	if (peer->enter_thread)
		peer->enter_thread();
	peer->enter();
	sem_post(&inside);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		nanosleep(&section, NULL);
		peer->leave();
		peer->enter();
	}
	peer->leave();
	if (peer->leave_thread)
		peer->leave_thread();
	return NULL;
}

static int reader_start(const struct callback_peer *peer)
{
	int error;

	sem_init(&inside, 0, 0);
	stop = false;
	error = pthread_create(&thread, NULL, run_reader, (void *)peer);
	if (error)
		return -error;
	sem_wait(&inside);
	return 0;
}

/* Who comes late for one callback makes up for it with the next. */
static int queue_all(const struct callback_peer *peer, size_t nr, uint32_t *waiting)
{
	uint64_t began = now_ns();
	int error = 0;

	for (size_t i = 0; i < nr && !error; i++) {
		while (now_ns() < began + i * BACKLOG_INTERVAL_NS)
			;
		error = peer->enqueue_counted(i);
		waiting[i] = (uint32_t)(i + 1 - __atomic_load_n(&invoked, __ATOMIC_RELAXED));
	}
	return error;
}

int backlog_run(const struct callback_peer *peer, size_t nr, uint32_t *waiting)
{
	int error;

	invoked = 0;
	error = reader_start(peer);
	if (error)
		return error;
	error = queue_all(peer, nr, waiting);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	peer->barrier();
	return error;
}
