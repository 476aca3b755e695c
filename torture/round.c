/* SPDX-License-Identifier: MIT */
/* Rounds: which workers there are, how they start and stop, and whether they get on. */
#include "torture.h"

#include <sched.h>
#include <stdlib.h>

/*
 * What no step takes, whatever the load.  The library has reported by then a grace
 * period that takes so long.
 */
#define STUCK_NS      (60ull * NS_PER_S)
#define LAST_STEPS_NS (5ull * NS_PER_S) /* once something has failed */

#define LEAN_NS  (150ull * NS_PER_MS)
#define MIXED_NS (400ull * NS_PER_MS)
#define LOOK_NS  (2 * NS_PER_MS)

struct worker *workers;
unsigned int nr_workers;

static bool over;
static pthread_barrier_t all_there;

bool round_over(void)
{
	return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

/* Some workers that do the same. */
struct part {
	const struct job *job;
	unsigned int n;
};

static void note_step(struct worker *worker)
{
	__atomic_store_n(&worker->since_ns, now_ns(), __ATOMIC_RELAXED);
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	pthread_barrier_wait(&all_there);
	worker_signals(worker, true);
	do {
		note_step(worker);
		worker->job->step(worker);
		__atomic_store_n(&worker->steps, worker->steps + 1, __ATOMIC_RELAXED);
	} while (!round_over());
	note_step(worker);
	/* Before it ends the last sections that others left. */
	worker_signals(worker, false);
	if (worker->job->finish)
		worker->job->finish(worker);
	__atomic_store_n(&worker->stopped, true, __ATOMIC_RELEASE);
	return NULL;
}

/* To the CPU of its number, as far as there are CPUs. */
static void pin(const struct worker *worker)
{
	cpu_set_t allowed, one;
	unsigned int n = worker->slot;

	if (pthread_getaffinity_np(worker->thread, sizeof(allowed), &allowed))
		return;
	n %= (unsigned int)CPU_COUNT(&allowed);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || n--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		pthread_setaffinity_np(worker->thread, sizeof(one), &one);
		return;
	}
}

static void cast(const struct part *parts, uint64_t *random)
{
	unsigned int n = 0;

	for (const struct part *part = parts; part->job; part++)
		n += part->n;
	workers = zalloc_lines(n * sizeof(*workers));
	nr_workers = n;
	n = 0;
	for (const struct part *part = parts; part->job; part++)
		for (unsigned int i = 0; i < part->n; i++, n++) {
			workers[n].job = part->job;
			workers[n].slot = n;
			workers[n].random = random_next(random);
			workers[n].handler_random = random_next(random);
			note_step(&workers[n]);
		}
}

static void start(bool pinned)
{
	pthread_barrier_init(&all_there, NULL, nr_workers);
	__atomic_store_n(&over, false, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < nr_workers; i++) {
		int error = pthread_create(&workers[i].thread, NULL, work, &workers[i]);

		if (error)
			die(error, "cannot start a thread");
		if (pinned)
			pin(&workers[i]);
	}
}

static bool all_stopped(void)
{
	for (unsigned int i = 0; i < nr_workers; i++)
		if (!__atomic_load_n(&workers[i].stopped, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

static bool all_got_on(void)
{
	for (unsigned int i = 0; i < nr_workers; i++)
		if (!__atomic_load_n(&workers[i].steps, __ATOMIC_RELAXED))
			return false;
	return true;
}

static bool anyone_stuck(void)
{
	uint64_t limit = all_failures() ? LAST_STEPS_NS : STUCK_NS;
	bool stuck = false;

	for (unsigned int i = 0; i < nr_workers; i++) {
		uint64_t since = __atomic_load_n(&workers[i].since_ns, __ATOMIC_RELAXED);
		uint64_t now = now_ns();

		if (__atomic_load_n(&workers[i].stopped, __ATOMIC_ACQUIRE) || now < since + limit)
			continue;
		failed(CHECK_PROGRESS, workers[i].job->name, (now - since) / NS_PER_S);
		stuck = true;
	}
	return stuck;
}

/* Until each has done a step while all the others were at it, however short the time. */
static bool play(
	const struct part *parts, uint64_t *random, bool pinned, uint64_t ns, bool (*tick)(void))
{
	uint64_t end = now_ns() + ns;

	cast(parts, random);
	start(pinned);
	while (!all_stopped()) {
		if (anyone_stuck())
			return false;
		if ((!tick() || now_ns() >= end || all_failures()) && all_got_on())
			__atomic_store_n(&over, true, __ATOMIC_RELAXED);
		nap_ns(LOOK_NS);
	}
	for (unsigned int i = 0; i < nr_workers; i++)
		pthread_join(workers[i].thread, NULL);
	sections_check();
	pthread_barrier_destroy(&all_there);
	return true;
}

static void reckon(struct worker *worker)
{
	(void)worker;
	arenas_end();
}

static const struct job reckoner = {"reckoning", reckon, NULL, 0, false};

static unsigned int clamp(unsigned int low, unsigned int n, unsigned int high)
{
	return n < low ? low : n > high ? high : n;
}

static unsigned int cpus(void)
{
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return 1;
	return (unsigned int)CPU_COUNT(&allowed);
}

static bool play_kind(uint64_t number, uint64_t *random, bool (*tick)(void))
{
	const unsigned int n = cpus();
	const struct part dueling[] = {
		{&duel_updater, 1}, {&duel_reader, clamp(1, n - 1, 8)}, {NULL, 0}};
	const struct part holding[] = {{&insister, 1}, {&holder, clamp(1, n - 1, 4)}, {NULL, 0}};
	const struct part drifting[] = {{&drifter, clamp(2, n, 8)}, {&mover, 1}, {NULL, 0}};
	const struct part flooding[] = {
		{&relay, 2}, {&updater, 2}, {&flooder, 1}, {&domain_churner, 1}, {NULL, 0}};
	const struct part mixed[] = {{&reader, clamp(3, 2 * n, 24)},
		{&updater, clamp(3, 2 * n, 24)}, {&barrierer, 2}, {&signaller, 1}, {&shuffler, 1},
		{&thread_churner, 1}, {&domain_churner, 1}, {&forker, SANITIZED ? 0 : 1},
		{NULL, 0}};

	switch (number % 6) {
	case 0:
		return play(dueling, random, true, LEAN_NS, tick);
	case 1:
		return play(holding, random, true, 2 * LEAN_NS, tick);
	case 3:
		return play(drifting, random, false, LEAN_NS, tick);
	case 4:
		return play(flooding, random, false, LEAN_NS, tick);
	default:
		return play(mixed, random, false, MIXED_NS, tick);
	}
}

bool round_run(uint64_t number, uint64_t *random, unsigned int domains, bool (*tick)(void))
{
	const struct part reckoning[] = {{&reckoner, 1}, {NULL, 0}};
	struct worker *players;
	bool ended;

	arenas_begin(number % 3 == 2 ? domains : 1, random);
	ended = play_kind(number, random, tick);
	players = workers; /* whose callbacks may be left */
	if (ended)
		ended = play(reckoning, random, false, 0, tick);
	if (!ended)
		return false;
	free(workers);
	if (!all_failures())
		free(players);
	return true;
}
