/* SPDX-License-Identifier: MIT */
/*
 * Sections of every family, what is checked in them, sections that end in another
 * thread or in a handler, and the reader that does a bit of everything.
 */
#include "torture.h"

#include <sched.h>

void section_begin(struct section *section, struct arena *arena, enum family family)
{
	struct srcu_struct *ssp = arena->ssp;

	section->arena = arena;
	section->family = family;
	section->has_cookie = false;
	switch (family) {
	case INT:
		section->idx = srcu_read_lock(ssp);
		break;
	case FAST:
		section->scp = srcu_read_lock_fast(ssp);
		break;
	case DOWN:
		section->idx = srcu_down_read(ssp);
		break;
	default:
		section->scp = srcu_down_read_fast(ssp);
		break;
	}
	section->before = __atomic_load_n(&arena->before, __ATOMIC_RELAXED);
	section->element = srcu_dereference(arena->current, ssp);
	section->generation = section->element->generation;
	section_counted();
}

/*
 * Whoever stores @after waited for this section, or it saw what was stored to @before.
 * Plain accesses to the element are for TSan: a grace period orders them.
 */
void section_check(const struct section *section)
{
	struct arena *arena = section->arena;
	const struct element *element = section->element;
	unsigned int pipe = __atomic_load_n(&element->pipe, __ATOMIC_RELAXED);

	if (pipe > 1)
		failed(CHECK_PIPE, "a section has an element of an earlier grace period", pipe);
	else if (element->generation != section->generation ||
		 element->inverse != ~section->generation)
		failed(CHECK_PIPE, "an element changed in a section", element->generation);
	if (__atomic_load_n(&arena->after, __ATOMIC_RELAXED) > section->before)
		failed(CHECK_MEMORY,
			"a section saw the end of a grace period and not its beginning",
			section->before);
	if (section->has_cookie && poll_state_synchronize_srcu(arena->ssp, section->cookie))
		failed(CHECK_COOKIE, "a cookie from a section was done in the section",
			section->cookie);
}

void section_end(const struct section *section, unsigned int slot)
{
	struct arena *arena = section->arena;

	section_check(section);
	__atomic_store_n(&arena->replies[slot].number, section->before, __ATOMIC_RELAXED);
	switch (section->family) {
	case INT:
		srcu_read_unlock(arena->ssp, section->idx);
		break;
	case FAST:
		srcu_read_unlock_fast(arena->ssp, section->scp);
		break;
	case DOWN:
		srcu_up_read(arena->ssp, section->idx);
		break;
	default:
		srcu_up_read_fast(arena->ssp, section->scp);
		break;
	}
}

/* Sections on their way to whoever ends them. */
static struct parcel {
	enum { EMPTY, BUSY, FULL } state;
	struct section section;
} __attribute__((aligned(LINE))) parcels[8];

static bool parcel_move(struct parcel *parcel, unsigned int from, unsigned int to)
{
	return __atomic_compare_exchange_n((unsigned int *)&parcel->state, &from, to, false,
		__ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Leave the section to others, or end it where there is no room. */
void parcel_send(struct section *section, unsigned int slot)
{
	for (size_t i = 0; i < ARRAY_SIZE(parcels); i++) {
		if (!parcel_move(&parcels[i], EMPTY, BUSY))
			continue;
		parcels[i].section = *section;
		parcel_move(&parcels[i], BUSY, FULL);
		return;
	}
	section_end(section, slot);
}

bool parcel_end_one(uint64_t *random, unsigned int slot)
{
	size_t first = (size_t)random_below(random, ARRAY_SIZE(parcels));

	for (size_t i = 0; i < ARRAY_SIZE(parcels); i++) {
		struct parcel *parcel = &parcels[(first + i) % ARRAY_SIZE(parcels)];
		struct section section;

		if (!parcel_move(parcel, FULL, BUSY))
			continue;
		section = parcel->section;
		parcel_move(parcel, BUSY, EMPTY);
		section_end(&section, slot);
		tally_up(COUNT_ACROSS);
		return true;
	}
	return false;
}

struct arena *random_arena(uint64_t *random)
{
	return arenas[random_below(random, nr_arenas)];
}

/* How long a section lasts, or a pause: mostly no time at all. */
void dawdle(uint64_t *random)
{
	uint64_t what = random_below(random, 1024);

	if (what < 2)
		nap_ns(3 * NS_PER_MS);
	else if (what < 20)
		nap_ns(NS_PER_US * (20 + random_below(random, 500)));
	else if (what < 80)
		sched_yield();
	else if (what < 300)
		spin(random_below(random, 400));
}

static void take_cookie(struct section *section, uint64_t *random)
{
	struct srcu_struct *ssp = section->arena->ssp;

	section->has_cookie = true;
	section->cookie = random_below(random, 2) ? get_state_synchronize_srcu(ssp)
						  : start_poll_synchronize_srcu(ssp);
}

/* Up to four sections at once, of any domains and families, which end in any order. */
static void read_some(struct worker *worker)
{
	struct section sections[4];
	unsigned int n = 0, most = 1 + (unsigned int)random_below(&worker->random, 4);

	while (n < most) {
		section_begin(&sections[n], random_arena(&worker->random),
			(enum family)random_below(&worker->random, NR_FAMILIES));
		if (random_below(&worker->random, 64) == 0)
			take_cookie(&sections[n], &worker->random);
		n++;
		dawdle(&worker->random);
		section_check(&sections[random_below(&worker->random, n)]);
	}
	while (n) {
		uint64_t i = random_below(&worker->random, n);
		struct section *section = &sections[i];

		if (section->family >= DOWN && random_below(&worker->random, 4) == 0)
			parcel_send(section, worker->slot);
		else
			section_end(section, worker->slot);
		*section = sections[--n];
		dawdle(&worker->random);
	}
	if (random_below(&worker->random, 2))
		parcel_end_one(&worker->random, worker->slot);
}

void parcels_end(struct worker *worker)
{
	while (parcel_end_one(&worker->random, worker->slot))
		;
}

const struct job reader = {"reader", read_some, parcels_end, NS_PER_MS, true};

static __thread struct section running;

/* Never outside a section: grace periods end none the less. */
static void relay_read(struct worker *worker)
{
	struct section next;

	for (unsigned int i = 0; i < 64; i++) {
		section_begin(&next, random_arena(&worker->random),
			(enum family)random_below(&worker->random, NR_FAMILIES));
		if (running.arena)
			section_end(&running, worker->slot);
		running = next;
		spin(random_below(&worker->random, 1000));
	}
	sched_yield();
}

static void relay_end(struct worker *worker)
{
	section_end(&running, worker->slot);
}

const struct job relay = {"relay", relay_read, relay_end, 0, false};
