/* SPDX-License-Identifier: MIT */
/* What hunters.h declares. */
#include <sched.h>
#include <unistd.h>

#include "hunters.h"

enum { SETS = 2, HUNTERS = 2, ELEMENTS = 8, POISON = 0xdead };

static struct element {
	unsigned int value;
} elements[ELEMENTS], *current = &elements[0];

static int hunt_over;
static unsigned int hunting;
static uint64_t poisoned;

/* Hunters that were started together. */
static struct set {
	struct srcu_struct *ssp;
	void (*begin_with)(void);
	uint64_t sections;
} sets[SETS];
static unsigned int nr_sets;

static void *hunt(void *arg)
{
	struct set *set = arg;

	if (set->begin_with)
		set->begin_with();
	__atomic_fetch_add(&hunting, 1, __ATOMIC_RELAXED);
	while (!flag_set(&hunt_over)) {
		int idx = srcu_read_lock(set->ssp);
		struct element *element = srcu_dereference(current, set->ssp);

		for (int i = 0; i < 5; i++)
			if (__atomic_load_n(&element->value, __ATOMIC_RELAXED) == POISON)
				__atomic_fetch_add(&poisoned, 1, __ATOMIC_RELAXED);
		srcu_read_unlock(set->ssp, idx);
		__atomic_fetch_add(&set->sections, 1, __ATOMIC_RELAXED);
	}
	__atomic_fetch_sub(&hunting, 1, __ATOMIC_RELEASE);
	/* A thread's end needs futexes, which a sandbox may refuse. */
	while (pause())
		;
	return NULL;
}

void hunters_start_with(struct srcu_struct *ssp, void (*each_begins)(void))
{
	unsigned int hunters = __atomic_load_n(&hunting, __ATOMIC_RELAXED) + HUNTERS;

	ck_assert_uint_lt(nr_sets, SETS);
	sets[nr_sets] = (struct set){.ssp = ssp, .begin_with = each_begins};
	for (int i = 0; i < HUNTERS; i++)
		pthread_detach(thread_start(hunt, &sets[nr_sets]));
	nr_sets++;
	while (__atomic_load_n(&hunting, __ATOMIC_RELAXED) < hunters)
		sched_yield();
}

void hunters_start(struct srcu_struct *ssp)
{
	hunters_start_with(ssp, NULL);
}

static uint64_t sections_of(const struct set *set)
{
	return __atomic_load_n(&set->sections, __ATOMIC_RELAXED);
}

static bool each_set_has_read(const uint64_t *before, unsigned int sections)
{
	for (unsigned int i = 0; i < nr_sets; i++)
		if (sections_of(&sets[i]) - before[i] < sections)
			return false;
	return true;
}

void assert_no_section_is_missed(struct srcu_struct *ssp, unsigned int rounds)
{
	uint64_t before[SETS];

	for (unsigned int i = 0; i < nr_sets; i++)
		before[i] = sections_of(&sets[i]);
	for (unsigned int i = 1; i < rounds || !each_set_has_read(before, rounds); i++) {
		struct element *old = current, *new = &elements[(old - elements + 1) % ELEMENTS];

		__atomic_store_n(&new->value, i % POISON, __ATOMIC_RELAXED);
		srcu_assign_pointer(current, new);
		synchronize_srcu(ssp);
		__atomic_store_n(&old->value, POISON, __ATOMIC_RELAXED);
		ck_assert_uint_eq(__atomic_load_n(&poisoned, __ATOMIC_RELAXED), 0);
	}
}

void hunters_stop(void)
{
	set_flag(&hunt_over);
	while (__atomic_load_n(&hunting, __ATOMIC_ACQUIRE))
		sched_yield();
}
