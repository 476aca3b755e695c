/* SPDX-License-Identifier: MIT */
/*
 * Updaters that wait for grace periods at the same time, each in a thread of
 * its own: the C half of gp_concurrent.  One group at a time; called from the
 * program's main thread only.
 */
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "bench/reader.h"
#include "bench/shim.h"

/* The calls are counted in windows of this time. */
#define WINDOW_NS 1000000u

/* Times that an updater keeps, the last ones: of a window, or nearly. */
#define LAST 16384u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* Under the lock. */
static unsigned int round_nr; /* one more: there are calls to make */
static unsigned int busy;     /* updaters that have not ended the round */
static bool ending;

/* Written before a round; read by all updaters in it. */
static const struct peer *peer;
static uint64_t calls;

/* Of the round's calls, those that an updater has taken on; on a line of its own. */
static uint64_t taken __attribute__((aligned(128)));

struct updater {
	uint64_t calls __attribute__((aligned(128))); /* that it has made */
	uint32_t ns[LAST];                            /* their times, in a ring */

	/* Written by the main thread, which has seen so many of the calls. */
	uint64_t seen __attribute__((aligned(128)));
	pthread_t thread;
};

static struct updater updaters[UPDATERS_MAX];
static unsigned int nr_updaters;

/* Of all updaters' calls in windows that count. */
static uint32_t times[1 << 20];
static size_t nr_times;

/*
 * Some of the calls that are left, or 0.  A few at once, so that taking costs
 * little beside them, and no more, so that the updaters end together.
 */
static uint64_t take_calls(void)
{
	const uint64_t some = 16;
	/* Relaxed: only the number matters. */
	uint64_t first = __atomic_fetch_add(&taken, some, __ATOMIC_RELAXED);

	if (first >= calls)
		return 0;
	return calls - first < some ? calls - first : some;
}

/* Release: who sees a call counted finds its time, or a later one's. */
static void count_call(struct updater *updater, uint64_t ns)
{
	uint64_t nr = updater->calls;

	__atomic_store_n(&updater->ns[nr % LAST], short_ns(ns), __ATOMIC_RELAXED);
	__atomic_store_n(&updater->calls, nr + 1, __ATOMIC_RELEASE);
}

/* One reading of the clock per call, as in time_synchronize(). */
static void work(struct updater *updater)
{
	uint64_t n, began = now_ns();

	while ((n = take_calls()))
		while (n--) {
			uint64_t ended;

			peer->synchronize();
			ended = now_ns();
			count_call(updater, ended - began);
			began = ended;
		}
}

/* Wait for the round after @seen; false when there is none. */
static bool next_round(unsigned int *seen)
{
	bool goes_on;

	pthread_mutex_lock(&lock);
	while (!ending && round_nr == *seen)
		pthread_cond_wait(&changed, &lock);
	goes_on = !ending;
	*seen = round_nr;
	pthread_mutex_unlock(&lock);
	return goes_on;
}

static void end_round(void)
{
	pthread_mutex_lock(&lock);
	if (!--busy)
		pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

/* Not registered with the peer: an updater that never reads need not be. */
static void *run_updater(void *arg)
{
	unsigned int seen = 0;

	pin_off_readers();
	while (next_round(&seen)) {
		work(arg);
		end_round();
	}
	return NULL;
}

int updaters_start(const struct peer *p, unsigned int n)
{
	peer = p;
	round_nr = 0;
	ending = false;
	for (nr_updaters = 0; nr_updaters < n; nr_updaters++) {
		struct updater *updater = &updaters[nr_updaters];
		int error;

		updater->calls = 0;
		updater->seen = 0;
		error = pthread_create(&updater->thread, NULL, run_updater, updater);
		if (error) {
			updaters_stop();
			return error;
		}
	}
	return 0;
}

static struct tally tally_now(void)
{
	struct tally now = {
		.sections = readers_sections(), .readers_ns = readers_cpu_ns(), .ns = clock_ns()};

	for (unsigned int i = 0; i < nr_updaters; i++)
		now.calls += __atomic_load_n(&updaters[i].calls, __ATOMIC_RELAXED);
	return now;
}

static struct tally tally_since(const struct tally *then, const struct tally *now)
{
	return (struct tally){.calls = now->calls - then->calls,
		.sections = now->sections - then->sections,
		.readers_ns = now->readers_ns - then->readers_ns,
		.ns = now->ns - then->ns};
}

static void tally_add(struct tally *sum, const struct tally *more)
{
	sum->calls += more->calls;
	sum->sections += more->sections;
	sum->readers_ns += more->readers_ns;
	sum->ns += more->ns;
}

/* Under the lock, until the round has ended or the window that began at @ns is over. */
static void wait_for_window(uint64_t ns)
{
	uint64_t end = ns + WINDOW_NS;
	struct timespec until = {
		.tv_sec = (time_t)(end / 1000000000u), .tv_nsec = (long)(end % 1000000000u)};

	while (busy && clock_ns() < end)
		pthread_cond_clockwait(&changed, &lock, CLOCK_MONOTONIC, &until);
}

/* Acquire: pairs with the release of count_call(). */
static void keep_times_of(struct updater *updater, uint64_t since)
{
	uint64_t nr = __atomic_load_n(&updater->calls, __ATOMIC_ACQUIRE);

	if (nr - since > LAST)
		since = nr - LAST;
	for (; since < nr && nr_times < sizeof(times) / sizeof(times[0]); since++)
		times[nr_times++] = __atomic_load_n(&updater->ns[since % LAST], __ATOMIC_RELAXED);
	updater->seen = nr;
}

static void keep_times(void)
{
	for (unsigned int i = 0; i < nr_updaters; i++)
		keep_times_of(&updaters[i], updaters[i].seen);
}

static void skip_times(void)
{
	for (unsigned int i = 0; i < nr_updaters; i++)
		updaters[i].seen = __atomic_load_n(&updaters[i].calls, __ATOMIC_RELAXED);
}

const uint32_t *updaters_times(size_t *nr)
{
	*nr = nr_times;
	return times;
}

struct tally updaters_run(uint64_t n)
{
	struct tally began = tally_now(), last = began, kept = {0, 0, 0, 0};

	nr_times = 0;
	skip_times();
	pthread_mutex_lock(&lock);
	calls = n;
	taken = 0;
	busy = nr_updaters;
	round_nr++;
	pthread_cond_broadcast(&changed);
	while (busy) {
		struct tally now, window;

		wait_for_window(last.ns);
		now = tally_now();
		window = tally_since(&last, &now);
		/* With less than nine tenths of it, readers shared their CPU with others. */
		if (window.readers_ns >= window.ns / 10 * 9) {
			tally_add(&kept, &window);
			keep_times();
		} else {
			skip_times();
		}
		last = now;
	}
	pthread_mutex_unlock(&lock);
	if (nr_times)
		return kept;
	for (unsigned int i = 0; i < nr_updaters; i++)
		keep_times_of(&updaters[i], 0);
	return tally_since(&began, &last);
}

void updaters_stop(void)
{
	pthread_mutex_lock(&lock);
	ending = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	while (nr_updaters)
		pthread_join(updaters[--nr_updaters].thread, NULL);
}
