/* SPDX-License-Identifier: MIT */
/*
 * Few threads, each with a CPU of its own where there are as many, that meet as often
 * as they can: for what is wrong for some tens of nanoseconds only.
 */
#include "torture.h"

#include <sched.h>

#define ROUNDS_OF_A_STEP 256
#define STEP_OF_LINES    4096

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/* Stores that miss the cache: what is stored next takes long to be seen by others. */
static void scatter(uint64_t *random)
{
	static char far[64 * STEP_OF_LINES];
	uint64_t n = random_below(random, 6);

	for (uint64_t i = 0; i < n; i++)
		__atomic_store_n(
			&far[random_below(random, sizeof(far) / LINE) * LINE], 1, __ATOMIC_RELAXED);
}

/*
 * As section_check() has it of the mailbox, with nothing between the lock and the load
 * of @before, and about as long as a grace period.
 */
static void duel_read(struct worker *worker)
{
	struct arena *arena = arenas[0];
	struct srcu_struct *ssp = arena->ssp;

	for (unsigned int i = 0; i < ROUNDS_OF_A_STEP; i++) {
		uint64_t length = random_below(&worker->random, 64ull << i % 11), before;

		scatter(&worker->random);
		if (i % 2) {
			int idx = srcu_read_lock(ssp);

			before = load(&arena->before);
			spin(length);
			if (load(&arena->after) > before)
				failed(CHECK_MEMORY, "a section saw a grace period's end only",
					before);
			srcu_read_unlock(ssp, idx);
		} else {
			struct srcu_ctr *scp = srcu_read_lock_fast(ssp);

			before = load(&arena->before);
			spin(length);
			if (load(&arena->after) > before)
				failed(CHECK_MEMORY, "a section saw a grace period's end only",
					before);
			srcu_read_unlock_fast(ssp, scp);
		}
		spin(random_below(&worker->random, 100));
	}
}

static void duel_update(struct worker *worker)
{
	struct arena *arena = arenas[0];

	for (unsigned int i = 0; i < ROUNDS_OF_A_STEP; i++) {
		uint64_t number = load(&arena->before) + 1;

		__atomic_store_n(&arena->before, number, __ATOMIC_RELAXED);
		synchronize_srcu_expedited(arena->ssp);
		__atomic_store_n(&arena->after, number, __ATOMIC_RELAXED);
		spin(random_below(&worker->random, 300));
	}
	tally_up(COUNT_WAITS);
}

const struct job duel_reader = {"duel reader", duel_read, NULL, 0, false};
const struct job duel_updater = {"duel updater", duel_update, NULL, 0, false};

/*
 * Sections on one CPU, in which others are ended that began on another one, for an
 * updater's sums to be wrong by one...
 */
static void hold(struct worker *worker)
{
	struct section section;

	for (unsigned int i = 0; i < ROUNDS_OF_A_STEP; i++) {
		uint64_t looks = random_below(&worker->random, 1ull << i % 9);

		section_begin(&section, arenas[0], i % 2 ? INT : FAST);
		/* Longer than a handler, which waits for one of these looks. */
		do {
			spin(500);
			parcel_end_one(&worker->random, worker->slot);
		} while (looks--);
		section_end(&section, worker->slot);
		spin(random_below(&worker->random, 100));
	}
}

static void wait_for_holders(struct worker *worker, struct srcu_struct *ssp)
{
	uint64_t cookie;

	if (random_below(&worker->random, 4)) {
		synchronize_srcu_expedited(ssp);
		return;
	}
	cookie = start_poll_synchronize_srcu(ssp);
	while (!poll_state_synchronize_srcu(ssp, cookie))
		;
}

/*
 * ...which looks without a pause, and is interrupted between its loads by handlers,
 * whose sections end there or elsewhere.
 */
static void insist(struct worker *worker)
{
	struct arena *arena = arenas[0];

	for (unsigned int i = 0; i < ROUNDS_OF_A_STEP / 16; i++) {
		uint64_t number = load(&arena->before) + 1;

		__atomic_store_n(&arena->before, number, __ATOMIC_RELAXED);
		wait_for_holders(worker, arena->ssp);
		__atomic_store_n(&arena->after, number, __ATOMIC_RELAXED);
	}
	tally_up(COUNT_WAITS);
}

const struct job holder = {"holder", hold, parcels_end, 0, false};
const struct job insister = {"insister", insist, parcels_end, 30 * NS_PER_US, true};

/* Counts and nothing else, to be moved to another CPU in the midst of one. */
static void drift(struct worker *worker)
{
	struct srcu_struct *ssp = arenas[0]->ssp;

	(void)worker;
	for (unsigned int i = 0; i < ROUNDS_OF_A_STEP; i++) {
		srcu_read_unlock_fast(ssp, srcu_read_lock_fast(ssp));
		srcu_read_unlock(ssp, srcu_read_lock(ssp));
	}
	section_counted();
}

const struct job drifter = {"drifter", drift, NULL, 0, false};
