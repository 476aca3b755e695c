/* SPDX-License-Identifier: MIT */
/*
 * Threads that read at the same time.  They share the work out among them as they go,
 * so that none is left alone at the end.
 */
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "bench/crew.h"
#include "bench/reader.h"
#include "bench/shim.h"

#define BATCH 4096

/* Written before the start. */
static const struct peer *crew_peer;

/* Held until all members have been created. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/* Sections that no member has taken on; on a line of its own. */
static int64_t left __attribute__((aligned(128)));

static struct member {
	pthread_t thread __attribute__((aligned(128)));
	unsigned int index;
	uint64_t began;
	uint64_t ended;
	uint64_t cpu_ns;
} members[CREW_MAX];

static uint64_t cpu_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return timespec_ns(&now);
}

/* Relaxed: only the number matters. */
static void read_share(void)
{
	int64_t n;

	while ((n = __atomic_fetch_sub(&left, BATCH, __ATOMIC_RELAXED)) > 0)
		crew_peer->read_batch(n < BATCH ? (long)n : BATCH);
}

static void *run_member(void *arg)
{
	struct member *m = arg;
	uint64_t cpu_ns;

	pin_to_nth(m->index);
	if (crew_peer->enter)
		crew_peer->enter();
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	m->began = now_ns();
	cpu_ns = cpu_now_ns();
	read_share();
	m->cpu_ns = cpu_now_ns() - cpu_ns;
	m->ended = now_ns();
	if (crew_peer->leave)
		crew_peer->leave();
	return NULL;
}

/* Returns how many of @threads there are; fewer with an error. */
static unsigned int create_members(unsigned int threads, int *error)
{
	for (unsigned int i = 0; i < threads; i++) {
		members[i].index = i;
		*error = pthread_create(&members[i].thread, NULL, run_member, &members[i]);
		if (*error)
			return i;
	}
	return threads;
}

int crew_read(const struct peer *peer, unsigned int threads, uint64_t n, struct crew_time *time)
{
	uint64_t began = UINT64_MAX, ended = 0;
	unsigned int nr;
	int error = 0;

	crew_peer = peer;
	pthread_mutex_lock(&gate);
	nr = create_members(threads, &error);
	left = error ? 0 : (int64_t)n;
	pthread_mutex_unlock(&gate);

	time->cpu_ns = 0;
	for (unsigned int i = 0; i < nr; i++) {
		const struct member *m = &members[i];

		pthread_join(m->thread, NULL);
		began = m->began < began ? m->began : began;
		ended = m->ended > ended ? m->ended : ended;
		time->cpu_ns += m->cpu_ns;
	}
	time->ns = ended - began;
	return error;
}

static void *run_passer(void *unused)
{
	if (crew_peer->enter)
		crew_peer->enter();
	crew_peer->read_batch(1);
	if (crew_peer->leave)
		crew_peer->leave();
	return unused;
}

int crew_churn(const struct peer *peer, uint64_t *ns)
{
	uint64_t began = now_ns();
	pthread_t thread;
	int error;

	crew_peer = peer;
	error = pthread_create(&thread, NULL, run_passer, NULL);
	if (!error)
		pthread_join(thread, NULL);
	*ns = now_ns() - began;
	return error;
}
