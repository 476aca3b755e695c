/* SPDX-License-Identifier: MIT */
/*
 * Limits: counts and numbers that are about to wrap, or to need one more bit, and
 * 4096 CPUs.  many-test.c and crowd-test.c have domains and threads by the thousand.
 *
 * White box: opens srcu/internal.h, and begins with counts and numbers that a domain
 * comes to after years.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "items.h"
#include "srcu/internal.h"

#define CPUS        4096
#define CPUS_FORCED "tree,cpus=4096"

enum { SOME = 50 };

/* So many more make a number of 32 bits, signed or not, and one of 64 bits wrap. */
static const uint64_t before_wrap[] = {INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};
#define WRAPS (int)(sizeof(before_wrap) / sizeof(before_wrap[0]))

/* Soon enough for each of the two ranks. */
#define EARLIER 8

/* The same for the words that threads sleep on. */
#define WORDS_FROM (UINT32_MAX - 2)

static struct srcu_struct domain;

static uintptr_t slot(void)
{
	return domain.word_ & WORD_SLOT;
}

static void begin_with(struct srcu_ctr *ctr, uint64_t locks, uint64_t unlocks)
{
	ctr->srcu_locks = locks;
	ctr->srcu_unlocks = unlocks;
}

static uint64_t readers(void)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	return stats.readers;
}

/* Sections by @lock and @unlock, each with one or two open; all of them are waited for. */
static void read_and_wait(struct srcu_ctr *(*lock)(void), void (*unlock)(struct srcu_ctr *))
{
	struct srcu_ctr *previous = lock();

	for (int i = 0; i < SOME; i++) {
		struct srcu_ctr *latest = lock();

		ck_assert_uint_eq(readers(), 2);
		ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
		unlock(previous);
		ck_assert_uint_eq(readers(), 1);
		ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
		previous = latest;
	}
	unlock(previous);
	ck_assert_uint_eq(readers(), 0);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), 0);
}

static struct srcu_ctr *lock_here(void)
{
	return srcu_read_lock_fast(&domain);
}

static void unlock_here(struct srcu_ctr *scp)
{
	srcu_read_unlock_fast(&domain, scp);
}

/* On each CPU's words and the twin, on both ranks, whatever counts the readers here. */
START_TEST(counts_of_sections_wrap)
{
	const uint64_t from = before_wrap[_i] - EARLIER;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	for (unsigned int n = 0; n < cpus_allowed(); n++) {
		pin_to_nth_cpu(n);
		srcu_read_unlock(&domain, srcu_read_lock(&domain));
	}
	for (unsigned int rank = 0; rank < 2; rank++) {
		begin_with(&domain.twin_[rank], from, from);
		for (unsigned int cpu = 0; slot() && cpu < domain.cpus_; cpu++)
			begin_with(ctr_on(slot(), cpu) + rank, from, from);
	}
	read_and_wait(lock_here, unlock_here);
	read_and_wait(lock_here, unlock_here);
	assert_clean(&domain);
}
END_TEST

/* All that began on the twin ended on CPU 0: only the sums are equal. */
START_TEST(counts_of_one_place_alone_wrap)
{
	const uint64_t from = before_wrap[_i] - EARLIER;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	pin_to_nth_cpu(0);
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	for (unsigned int rank = 0; slot() && rank < 2; rank++) {
		begin_with(&domain.twin_[rank], from, UINT64_MAX);
		begin_with(ctr_on(slot(), 0) + rank, UINT64_MAX, from);
	}
	read_and_wait(lock_here, unlock_here);
	assert_clean(&domain);
}
END_TEST

static void begin_with_number(uint64_t number)
{
	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	domain.started_ = number;
	domain.done_ = number;
	domain.needed_ = number;
	domain.hurried_ = number;
	domain.gp_kick_ = WORDS_FROM;
	domain.cb_event_ = WORDS_FROM;
}

/*
 * Numbers of grace periods; the last few of 64 bits too, which none will ever come to.
 * Each round takes two to four numbers.
 */
START_TEST(numbers_of_grace_periods_take_another_bit)
{
	const uint64_t from = before_wrap[_i] - (_i == WRAPS - 1 ? 5 * SOME : SOME);
	struct item items[SOME] = {0};
	int idx;

	begin_with_number(from);
	for (unsigned int i = 0; i < SOME; i++) {
		uint64_t cookie = get_state_synchronize_srcu(&domain), next;

		ck_assert_uint_gt(cookie, from);
		ck_assert(!poll_state_synchronize_srcu(&domain, cookie));
		items[i].number = i + 1;
		ck_assert_int_eq(call_srcu(&domain, &items[i].head, note), 0);
		idx = srcu_read_lock(&domain);
		ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
		next = start_poll_synchronize_srcu(&domain);
		ck_assert(!poll_state_synchronize_srcu(&domain, next));
		ck_assert(!same_state_synchronize_srcu(cookie, next));
		srcu_read_unlock(&domain, idx);
		srcu_expedite_current(&domain);
		cond_synchronize_srcu(&domain, cookie);
		ck_assert(poll_state_synchronize_srcu(&domain, cookie));
		while (!poll_state_synchronize_srcu(&domain, next))
			sched_yield();
		synchronize_srcu(&domain);
		ck_assert_int_eq(srcu_barrier(&domain), 0);
		ck_assert_uint_eq(items_invoked(), i + 1);
	}
	ck_assert_uint_gt(srcu_batches_completed(&domain), from + 2 * SOME);
	ck_assert_uint_lt(domain.gp_kick_, WORDS_FROM);
	ck_assert_uint_lt(domain.cb_event_, WORDS_FROM);
	ck_assert(items_in_order());
	assert_clean(&domain);
}
END_TEST

/* How many callbacks there were, and what those who wait for them sleep on. */
START_TEST(counts_of_callbacks_wrap)
{
	struct item items[SOME] = {0};
	struct srcu_stats stats;

	begin_with_number(0);
	domain.pushed_count_ = before_wrap[_i] - EARLIER;
	domain.invoked_ = domain.pushed_count_;
	for (unsigned int i = 0; i < SOME; i++) {
		items[i].number = i + 1;
		ck_assert_int_eq(call_srcu(&domain, &items[i].head, note), 0);
		ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
		ck_assert_uint_eq(stats.queued - stats.invoked, i % 2 + 1);
		if (i % 2)
			ck_assert_int_eq(srcu_barrier(&domain), 0);
	}
	ck_assert_uint_eq(items_invoked(), SOME);
	assert_clean(&domain);
}
END_TEST

START_TEST(a_counter_of_the_program_wraps)
{
	uint64_t *counter = alloc_percpu(uint64_t);
	unsigned int cpu;

	ck_assert(counter || forced("nomemory"));
	if (!counter)
		return;
	for_each_possible_cpu (cpu)
		*per_cpu_ptr(counter, cpu) = before_wrap[_i] - EARLIER;
	for (int i = 0; i < SOME; i++)
		this_cpu_inc(*counter);
	ck_assert_uint_eq(
		percpu_sum(counter), nr_possible_cpus() * (before_wrap[_i] - EARLIER) + SOME);
	free_percpu(counter);
}
END_TEST

/* Sections as if they ran on the last of many CPUs; those that end do so on a CPU in between. */
static struct srcu_ctr *lock_far_away(void)
{
	uintptr_t ctr = domain.word_ & ~WORD_TAGS;

	__atomic_fetch_add(&ctr_on(ctr, CPUS - 1)->srcu_locks, 1, __ATOMIC_SEQ_CST);
	return (struct srcu_ctr *)ctr;
}

static void unlock_in_between(struct srcu_ctr *scp)
{
	__atomic_fetch_add(&ctr_on((uintptr_t)scp, CPUS / 2)->srcu_unlocks, 1, __ATOMIC_SEQ_CST);
}

START_TEST(a_scan_covers_4096_cpus)
{
	struct srcu_stats stats;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	ck_assert_uint_ge(nr_possible_cpus(), CPUS);
	srcu_stand_for_cpu_(&domain, CPUS - 1);
	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	ck_assert_uint_eq(stats.cpus, CPUS);
	read_and_wait(lock_far_away, unlock_in_between);
	read_and_wait(lock_here, unlock_here);
	assert_clean(&domain);
}
END_TEST

/* Readers and updaters on all of them, as far as there are threads for them. */
static void *read_on_cpu(void *cpu)
{
	srcu_stand_for_cpu_(&domain, (unsigned int)(uintptr_t)cpu);
	for (int i = 0; i < 20; i++) {
		srcu_read_unlock(&domain, srcu_read_lock(&domain));
		synchronize_srcu(&domain);
	}
	return NULL;
}

START_TEST(updaters_come_from_4096_cpus)
{
	enum { THREADS = SANITIZED ? 32 : 256 };
	pthread_t threads[THREADS];
	struct srcu_stats stats;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	for (uintptr_t i = 0; i < THREADS; i++)
		threads[i] = thread_start(read_on_cpu, (void *)((i + 1) * (CPUS / THREADS) - 1));
	for (int i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	ck_assert_uint_eq(stats.cpus, CPUS);
	ck_assert_uint_eq(stats.readers, 0);
	ck_assert_uint_ge(stats.levels, 2); /* by default 256 leaves, 16 nodes, the root */
	ck_assert_uint_gt(stats.root, 0);
	assert_clean(&domain);
}
END_TEST

START_TEST(counters_have_4096_copies)
{
	uint64_t *counter = alloc_percpu(uint64_t);
	unsigned int cpu;

	ck_assert_ptr_nonnull(counter);
	for_each_possible_cpu (cpu)
		*per_cpu_ptr(counter, cpu) = cpu;
	this_cpu_add(*counter, 5);
	ck_assert_uint_eq(percpu_sum(counter),
		(uint64_t)nr_possible_cpus() * (nr_possible_cpus() - 1) / 2 + 5);
	free_percpu(counter);
}
END_TEST

static int run_with_many_cpus(void)
{
	TCase *tcase = test_case("4096 CPUs");

	tcase_add_test(tcase, a_scan_covers_4096_cpus);
	tcase_add_test(tcase, updaters_come_from_4096_cpus);
	tcase_add_test(tcase, counters_have_4096_copies);
	return run_suite(CPUS_FORCED, (TCase *[]){tcase, NULL});
}

/* The library learns of CPUs before main(): once more, with so many of them. */
static bool succeeds_with_many_cpus(const char *program)
{
	char command[PATH_MAX + 40];

	snprintf(command, sizeof(command), "SRCU_FORCE=%s '%s'", CPUS_FORCED, program);
	return system(command) == 0;
}

int main(int argc, char **argv)
{
	TCase *wrap;
	int status;

	(void)argc;
	if (forced(CPUS_FORCED))
		return run_with_many_cpus();
	wrap = test_case("wrap");
	tcase_add_loop_test(wrap, counts_of_sections_wrap, 0, WRAPS);
	tcase_add_loop_test(wrap, counts_of_one_place_alone_wrap, 0, WRAPS);
	tcase_add_loop_test(wrap, numbers_of_grace_periods_take_another_bit, 0, WRAPS);
	tcase_add_loop_test(wrap, counts_of_callbacks_wrap, 0, WRAPS);
	tcase_add_loop_test(wrap, a_counter_of_the_program_wraps, 0, WRAPS);
	status = run_suite("limits", (TCase *[]){wrap, NULL});
	/* Not over what else is forced, which is for the run above. */
	if (!status && !getenv("SRCU_FORCE") && !succeeds_with_many_cpus(argv[0]))
		status = EXIT_FAILURE;
	return status;
}
