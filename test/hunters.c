/* SPDX-License-Identifier: MIT */
/* What hunters.h declares. */
#include <sched.h>
#include <unistd.h>

#include "hunters.h"

enum { HUNTERS = 2, ELEMENTS = 8, POISON = 0xdead };

static struct element {
	unsigned int value;
} elements[ELEMENTS], *current = &elements[0];

static int hunt_over;
static unsigned int hunting;
static uint64_t sections, poisoned;

static void (*begin_with)(void);

static void *hunt(void *arg)
{
	struct srcu_struct *ssp = arg;

	if (begin_with)
		begin_with();
	__atomic_fetch_add(&hunting, 1, __ATOMIC_RELAXED);
	while (!flag_set(&hunt_over)) {
		int idx = srcu_read_lock(ssp);
		struct element *element = srcu_dereference(current, ssp);

		for (int i = 0; i < 5; i++)
			if (__atomic_load_n(&element->value, __ATOMIC_RELAXED) == POISON)
				__atomic_fetch_add(&poisoned, 1, __ATOMIC_RELAXED);
		srcu_read_unlock(ssp, idx);
		__atomic_fetch_add(&sections, 1, __ATOMIC_RELAXED);
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

	begin_with = each_begins;
	for (int i = 0; i < HUNTERS; i++)
		pthread_detach(thread_start(hunt, ssp));
	while (__atomic_load_n(&hunting, __ATOMIC_RELAXED) < hunters)
		sched_yield();
}

void hunters_start(struct srcu_struct *ssp)
{
	hunters_start_with(ssp, NULL);
}

void assert_no_section_is_missed(struct srcu_struct *ssp, unsigned int rounds)
{
	uint64_t before = __atomic_load_n(&sections, __ATOMIC_RELAXED);

	for (unsigned int i = 1;
		i < rounds || __atomic_load_n(&sections, __ATOMIC_RELAXED) - before < rounds; i++) {
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
