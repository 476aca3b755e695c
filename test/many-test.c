/* SPDX-License-Identifier: MIT */
/*
 * Many: domains one after the other and at once, threads that read once and end,
 * and what a domain costs.
 *
 * White box: opens srcu/internal.h for the word, which names the slot.  What a
 * domain costs is seen from the addresses of the slots and from the pages that
 * the process has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "items.h"
#include "srcu/internal.h"

enum {
	ENDED = SANITIZED ? 20000 : 100000, /* domains one after the other */
	ALIVE = SANITIZED ? 4000 : 20000,   /* and at once */
	THREADS = SANITIZED ? 2000 : 10000,
	BATCH = 50,
	SLOT = 32,   /* bytes per CPU and domain */
	LISTS = 64,  /* once it has callbacks */
	ROOM = 4096, /* of a CPU's slice, for 128 slots */
};

/* Callbacks by the program: the threads of the library have their own tests. */
static const struct srcu_options options = {.callbacks = SRCU_CALLBACKS_CALLER};

static uintptr_t slot_of(const struct srcu_struct *ssp)
{
	return ssp->word_ & WORD_SLOT;
}

static void use(struct srcu_struct *ssp)
{
	srcu_read_unlock(ssp, srcu_read_lock(ssp));
	synchronize_srcu(ssp);
}

static void add(struct srcu_ctr *sum, const struct srcu_ctr *ctr)
{
	sum->srcu_locks += ctr->srcu_locks;
	sum->srcu_unlocks += ctr->srcu_unlocks;
}

/* What has been counted in a slot, and on the twin, which goes there in the end. */
static struct srcu_ctr counts(const struct srcu_struct *ssp)
{
	struct srcu_ctr sum = {0};

	for (unsigned int rank = 0; rank < 2; rank++) {
		add(&sum, &ssp->twin_[rank]);
		for (unsigned int cpu = 0; cpu < ssp->cpus_; cpu++)
			add(&sum, ctr_on(slot_of(ssp), cpu) + rank);
	}
	return sum;
}

START_TEST(domains_one_after_the_other_share_a_slot)
{
	struct srcu_struct domain;
	uintptr_t slot = 0;

	warnings_collect();
	for (uint64_t i = 0; i < ENDED; i++) {
		uint64_t locks;

		ck_assert_int_eq(init_srcu_struct_with(&domain, &options), 0);
		ck_assert(!slot || slot_of(&domain) == slot);
		slot = slot_of(&domain);
		/* The counts of all that had it before, two sections each. */
		locks = counts(&domain).srcu_locks;
		ck_assert_uint_eq(locks, 2 * i);
		ck_assert_uint_eq(counts(&domain).srcu_unlocks, locks);
		srcu_read_unlock(&domain, srcu_read_lock(&domain));
		use(&domain);
		assert_clean(&domain);
	}
}
END_TEST

static struct srcu_struct *domains;

/* Their own pages are there before anything is measured. */
static void make_many(void)
{
	warnings_collect();
	domains = malloc(ALIVE * sizeof(*domains));
	memset(domains, 1, ALIVE * sizeof(*domains));
}

static void end_many(void)
{
	for (int i = 0; i < ALIVE; i++)
		assert_clean(&domains[i]);
	free(domains);
}

static unsigned int cpus_covered(void)
{
	unsigned int most = 1;

	for (int i = 0; i < ALIVE; i++)
		if (domains[i].cpus_ > most)
			most = domains[i].cpus_;
	return most;
}

/*
 * Objects of @size fill slices, and the memory of each slice up to the last CPU used
 * is all there is, with a header, and at both ends pages that are not filled.
 */
static void assert_cost(const char *what, size_t cost, size_t size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), chunks = ALIVE * size / ROOM + 1;
	const size_t others = 512 * 1024; /* of the test and the C library */

	printf("%d domains, %s: %zu bytes each on %u CPU(s)\n", ALIVE, what, cost / ALIVE,
		cpus_covered());
	if (!SANITIZED && !forced("tree")) /* which has memory of its own */
		ck_assert_uint_le(
			cost, chunks * (cpus_covered() * SRCU_PERCPU_STRIDE + 2 * page) + others);
}

/* Every @size bytes there is one, up to the end of a slice. */
static void assert_dense(uintptr_t (*address)(const struct srcu_struct *), unsigned int size)
{
	for (unsigned int i = 1; i < ALIVE; i++)
		if (i % (ROOM / size))
			ck_assert_uint_eq(address(&domains[i]), address(&domains[i - 1]) + size);
}

START_TEST(a_domain_takes_32_bytes_on_each_cpu)
{
	size_t before;

	make_many();
	before = mapped_bytes(true);
	for (int i = 0; i < ALIVE; i++)
		ck_assert_int_eq(init_srcu_struct_with(&domains[i], &options), 0);
	for (int i = 0; i < ALIVE; i++)
		use(&domains[i]);
	assert_cost("read", mapped_bytes(true) - before, SLOT);
	assert_dense(slot_of, SLOT);
	end_many();
}
END_TEST

static uintptr_t lists_of(const struct srcu_struct *ssp)
{
	return ssp->lists_ & ~(uintptr_t)(LISTS - 1);
}

START_TEST(callbacks_take_64_bytes_more)
{
	struct item item = {.number = 1};
	size_t before;

	make_many();
	for (int i = 0; i < ALIVE; i++) {
		ck_assert_int_eq(init_srcu_struct_with(&domains[i], &options), 0);
		use(&domains[i]);
	}
	before = mapped_bytes(true);
	for (unsigned int i = 0; i < ALIVE; i++) {
		item.number = i + 1;
		ck_assert_int_eq(call_srcu(&domains[i], &item.head, note), 0);
		ck_assert_int_eq(srcu_barrier(&domains[i]), 0);
	}
	ck_assert_uint_eq(items_invoked(), ALIVE);
	ck_assert(items_in_order());
	assert_cost("more with callbacks", mapped_bytes(true) - before, LISTS);
	if (domains[0].lists_)
		assert_dense(lists_of, LISTS);
	end_many();
}
END_TEST

static void *read_once(void *arg)
{
	srcu_read_unlock(arg, srcu_read_lock(arg));
	return NULL;
}

START_TEST(threads_that_read_once_leave_nothing)
{
	struct srcu_struct domain;
	struct srcu_stats stats;
	pthread_t threads[BATCH];

	warnings_collect();
	ck_assert_int_eq(init_srcu_struct_with(&domain, &options), 0);
	for (unsigned int i = 1; i <= THREADS / BATCH; i++) {
		for (int k = 0; k < BATCH; k++)
			threads[k] = thread_start(read_once, &domain);
		synchronize_srcu(&domain);
		for (int k = 0; k < BATCH; k++)
			thread_join(threads[k]);
		ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
		ck_assert_uint_eq(stats.readers, 0);
		ck_assert_uint_eq(counts(&domain).srcu_locks, (uint64_t)i * BATCH);
	}
	assert_clean(&domain);
}
END_TEST

int main(void)
{
	TCase *many;

	if (forced("nomemory")) {
		printf("there is no memory per CPU\n");
		return 77;
	}
	many = test_case("many");
	tcase_add_test(many, domains_one_after_the_other_share_a_slot);
	tcase_add_test(many, a_domain_takes_32_bytes_on_each_cpu);
	tcase_add_test(many, callbacks_take_64_bytes_more);
	tcase_add_test(many, threads_that_read_once_leave_nothing);
	return run_suite("many", (TCase *[]){many, NULL});
}
