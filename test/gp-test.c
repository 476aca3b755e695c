/* SPDX-License-Identifier: MIT */
/*
 * Grace periods: they wait for every reader that was there before, wherever it
 * was counted, end while later ones keep coming, and cost one membarrier.
 *
 * White box: opens srcu/internal.h for the word's tags, to make a reader that
 * fetched the word long ago and one that is counted on the twin.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"
#include "srcu/internal.h"
#include "syscalls.h"

static struct srcu_struct domain;

static void *nothing(void *arg)
{
	return arg;
}

static void init_domain(const struct srcu_options *options)
{
	warnings_collect();
	if (forced("nomemory")) {
		memcpy(&domain, &(struct srcu_struct)SRCU_STRUCT_INIT_(domain), sizeof(domain));
		srcu_read_unlock(&domain, srcu_read_lock(&domain));
	} else {
		ck_assert_int_eq(init_srcu_struct_with(&domain, options), 0);
	}
	/* With one thread a grace period needs no membarrier: be several. */
	thread_join(thread_start(nothing, NULL));
}

static struct srcu_stats stats_of(struct srcu_struct *ssp)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(ssp, &stats), 0);
	return stats;
}

/* A thread in synchronize_srcu(), to be looked at from outside. */
struct waiter {
	bool expedited;
	int tid;
	int returned;
	pthread_t thread;
};

static void *wait_for_readers(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, gettid(), __ATOMIC_RELEASE);
	if (waiter->expedited)
		synchronize_srcu_expedited(&domain);
	else
		synchronize_srcu(&domain);
	set_flag(&waiter->returned);
	return NULL;
}

/*
 * Returns when the grace period has begun and looked at the readers often: a
 * wait that overlooks a reader would be over by then.
 */
static void waiter_start(struct waiter *waiter, bool expedited)
{
	uint64_t before = __atomic_load_n(&domain.started_, __ATOMIC_ACQUIRE);

	*waiter = (struct waiter){.expedited = expedited};
	waiter->thread = thread_start(wait_for_readers, waiter);
	while (__atomic_load_n(&domain.started_, __ATOMIC_ACQUIRE) == before)
		sched_yield();
	for (int i = 0; i < 2000; i++)
		sched_yield();
}

static void waiter_assert_waits(struct waiter *waiter)
{
	ck_assert_msg(!flag_set(&waiter->returned), "the grace period ended too early");
}

static void waiter_finish(struct waiter *waiter)
{
	await_flag(&waiter->returned);
	thread_join(waiter->thread);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(warnings(), 0);
}

START_TEST(waits_for_a_reader_on_either_rank)
{
	struct waiter waiter;
	int idx;

	/* The first grace period leaves the current rank or turns it: try both. */
	for (int turns = 0; turns < 2; turns++) {
		init_domain(NULL);
		if (turns)
			domain.word_ ^= WORD_RANK;
		idx = srcu_read_lock(&domain);
		waiter_start(&waiter, turns);
		waiter_assert_waits(&waiter);
		srcu_read_unlock(&domain, idx);
		waiter_finish(&waiter);
	}
}
END_TEST

START_TEST(waits_for_readers_on_both_ranks)
{
	struct waiter waiter;
	struct srcu_ctr *old, *current;

	init_domain(NULL);
	old = srcu_read_lock_fast(&domain);
	domain.word_ ^= WORD_RANK;
	current = srcu_read_lock_fast(&domain);
	ck_assert_ptr_ne(old, current);
	waiter_start(&waiter, false);
	waiter_assert_waits(&waiter);
	srcu_read_unlock_fast(&domain, old);
	for (int i = 0; i < 1000; i++)
		sched_yield();
	waiter_assert_waits(&waiter);
	srcu_read_unlock_fast(&domain, current);
	waiter_finish(&waiter);
}
END_TEST

/* Lock as a reader does that fetched the word before any number of flips. */
static struct srcu_ctr *lock_by_stale_word(uintptr_t word)
{
	uintptr_t now = domain.word_;
	struct srcu_ctr *ctr;

	domain.word_ = word;
	ctr = srcu_read_lock_fast(&domain);
	domain.word_ = now;
	return ctr;
}

START_TEST(waits_for_a_reader_that_fetched_the_word_long_ago)
{
	uintptr_t word;
	struct srcu_ctr *ctr;
	struct waiter waiter;

	init_domain(NULL);
	srcu_read_unlock_fast(&domain, srcu_read_lock_fast(&domain));
	word = domain.word_;
	domain.word_ ^= WORD_RANK; /* a flip */
	ctr = lock_by_stale_word(word);
	ck_assert_uint_ne(word & WORD_RANK, domain.word_ & WORD_RANK);
	waiter_start(&waiter, false);
	waiter_assert_waits(&waiter);
	srcu_read_unlock_fast(&domain, ctr);
	waiter_finish(&waiter);
}
END_TEST

struct distant {
	struct stepper stepper;
	unsigned int cpu;
};

static void *read_on_cpu(void *arg)
{
	struct distant *distant = arg;
	int idx;

	pin_to_nth_cpu(distant->cpu);
	idx = srcu_read_lock(&domain);
	step_pause(&distant->stepper, 1);
	srcu_read_unlock(&domain, idx);
	return NULL;
}

START_TEST(waits_for_a_reader_on_a_cpu_above_the_mark)
{
	struct distant distant = {.stepper = STEPPER_INIT, .cpu = cpus_allowed() - 1};
	struct waiter waiter;
	pthread_t thread;

	init_domain(NULL);
	pin_to_nth_cpu(0);
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	thread = thread_start(read_on_cpu, &distant);
	step_await(&distant.stepper, 1);
	if (!forced("nomemory"))
		ck_assert_uint_ge(domain.cpus_, cpus_allowed());
	waiter_start(&waiter, false);
	waiter_assert_waits(&waiter);
	step_allow(&distant.stepper, 1);
	waiter_finish(&waiter);
	thread_join(thread);
}
END_TEST

START_TEST(waits_for_a_reader_on_the_twin)
{
	struct waiter waiter;
	unsigned int rank;

	init_domain(NULL);
	rank = word_rank(domain.word_);
	/* As a lock whose restartable sequence was aborted. */
	__atomic_fetch_add(&domain.twin_[rank].srcu_locks, 1, __ATOMIC_SEQ_CST);
	waiter_start(&waiter, false);
	waiter_assert_waits(&waiter);
	__atomic_fetch_add(&domain.twin_[rank].srcu_unlocks, 1, __ATOMIC_RELEASE);
	waiter_finish(&waiter);
}
END_TEST

struct crowd {
	int stop;
	uint64_t sections;
};

/* At every moment at least one section is open, on some rank. */
static void *overlap_for_ever(void *arg)
{
	struct crowd *crowd = arg;
	struct srcu_ctr *held = srcu_read_lock_fast(&domain);

	while (!flag_set(&crowd->stop)) {
		struct srcu_ctr *next = srcu_read_lock_fast(&domain);

		srcu_read_unlock_fast(&domain, held);
		held = next;
		__atomic_fetch_add(&crowd->sections, 1, __ATOMIC_RELAXED);
	}
	srcu_read_unlock_fast(&domain, held);
	return NULL;
}

START_TEST(ends_while_later_readers_keep_coming)
{
	struct crowd crowd = {0};
	pthread_t threads[3];

	init_domain(NULL);
	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(overlap_for_ever, &crowd);
	while (__atomic_load_n(&crowd.sections, __ATOMIC_RELAXED) < 1000)
		sched_yield();
	for (int i = 0; i < 200; i++)
		i % 2 ? synchronize_srcu(&domain) : synchronize_srcu_expedited(&domain);
	set_flag(&crowd.stop);
	for (int i = 0; i < 3; i++)
		thread_join(threads[i]);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

static void *idle(void *arg)
{
	step_pause(arg, 1);
	return NULL;
}

START_TEST(an_unshared_grace_period_costs_one_membarrier)
{
	struct stepper stepper = STEPPER_INIT;
	pthread_t thread = thread_start(idle, &stepper);
	struct waiter waiter;
	int idx;

	init_domain(NULL);
	step_await(&stepper, 1);
	for (unsigned int i = 1; i <= 100; i++) {
		bool one = stats_of(&domain).barrier != SRCU_BARRIER_FENCES;

		synchronize_srcu(&domain);
		ck_assert_uint_eq(stats_of(&domain).grace_periods, i);
		ck_assert_uint_eq(stats_of(&domain).membarriers, one ? i : 0);
	}
	/* Also one that has to flip and to wait for a reader. */
	idx = srcu_read_lock(&domain);
	waiter_start(&waiter, false);
	srcu_read_unlock(&domain, idx);
	await_flag(&waiter.returned);
	thread_join(waiter.thread);
	ck_assert_uint_eq(stats_of(&domain).grace_periods, 101);
	if (stats_of(&domain).barrier != SRCU_BARRIER_FENCES)
		ck_assert_uint_eq(stats_of(&domain).membarriers, 101);
	ck_assert_uint_gt(stats_of(&domain).longest_ns, 0);
	step_allow(&stepper, 1);
	thread_join(thread);
}
END_TEST

static uint64_t real_membarriers;

long on_syscall(long number, const long a[6])
{
	if (number == SYS_membarrier && a[0] == MEMBARRIER_CMD_PRIVATE_EXPEDITED)
		__atomic_fetch_add(&real_membarriers, 1, __ATOMIC_RELAXED);
	return real_syscall(number, a);
}

START_TEST(the_kernel_sees_as_many_membarriers_as_are_told)
{
	uint64_t before;
	int idx;

	init_domain(NULL);
	before = __atomic_load_n(&real_membarriers, __ATOMIC_RELAXED);
	for (int i = 0; i < 50; i++)
		synchronize_srcu(&domain);
	idx = srcu_read_lock(&domain);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 1000000), -ETIMEDOUT);
	srcu_read_unlock(&domain, idx);
	ck_assert_uint_eq(__atomic_load_n(&real_membarriers, __ATOMIC_RELAXED) - before,
		stats_of(&domain).membarriers);
	ck_assert_uint_eq(stats_of(&domain).membarriers,
		stats_of(&domain).barrier == SRCU_BARRIER_FENCES ? 0 : 51);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

static void *report_for_ever(void *arg)
{
	/* Misuse is reported on stderr: as cancellable as a report gets. */
	set_flag(arg);
	for (int i = 0; i < 100; i++)
		synchronize_srcu(NULL);
	set_flag(arg);
	return arg;
}

START_TEST(reports_are_no_cancellation_points)
{
	pthread_t thread;
	int flag = 0;
	void *result;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	pthread_create(&thread, NULL, report_for_ever, &flag);
	pthread_cancel(thread);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	/* Cancelled before it began, or not at all. */
	ck_assert(!flag || result == &flag);
}
END_TEST

START_TEST(callers_share_a_grace_period)
{
	enum { CALLERS = 6 };
	struct waiter leader, callers[CALLERS];
	uint64_t before;
	int idx;

	init_domain(NULL);
	idx = srcu_read_lock(&domain);
	waiter_start(&leader, false);
	before = stats_of(&domain).grace_periods;
	for (int i = 0; i < CALLERS; i++) {
		callers[i] = (struct waiter){0};
		callers[i].thread = thread_start(wait_for_readers, &callers[i]);
	}
	for (int i = 0; i < CALLERS; i++)
		await_asleep(&callers[i].tid);
	srcu_read_unlock(&domain, idx);
	for (int i = 0; i < CALLERS; i++) {
		await_flag(&callers[i].returned);
		thread_join(callers[i].thread);
	}
	/* The leader's grace period had begun before they came: one more serves them all. */
	ck_assert_uint_eq(stats_of(&domain).grace_periods, before + 2);
	ck_assert_uint_eq(stats_of(&domain).shared, CALLERS - 1);
	waiter_finish(&leader);
}
END_TEST

START_TEST(a_grace_period_that_has_begun_is_not_joined)
{
	struct waiter first, second;
	struct srcu_ctr *early, *late;

	init_domain(NULL);
	early = srcu_read_lock_fast(&domain);
	waiter_start(&first, false);
	/* The word has been turned: this reader is on the other rank, and later. */
	late = srcu_read_lock_fast(&domain);
	second = (struct waiter){0};
	second.thread = thread_start(wait_for_readers, &second);
	while (__atomic_load_n(&domain.gp_lock_, __ATOMIC_RELAXED) < 2)
		sched_yield();
	srcu_read_unlock_fast(&domain, early);
	await_flag(&first.returned);
	for (int i = 0; i < 2000; i++)
		sched_yield();
	waiter_assert_waits(&second);
	srcu_read_unlock_fast(&domain, late);
	await_flag(&second.returned);
	thread_join(second.thread);
	waiter_finish(&first);
}
END_TEST

START_TEST(a_reader_delays_its_own_domain_only)
{
	struct srcu_struct other = SRCU_STRUCT_INIT_(other);
	int idx;

	init_domain(NULL);
	idx = srcu_read_lock(&other);
	synchronize_srcu(&domain);
	srcu_read_unlock(&other, idx);
	ck_assert_int_eq(cleanup_srcu_struct(&other), 0);
}
END_TEST

START_TEST(fenced_domains_make_no_membarrier)
{
	const struct srcu_options options = {.readers = SRCU_READERS_FENCED, .name = "fenced"};
	struct waiter waiter;
	int idx;

	init_domain(&options);
	ck_assert_int_eq(stats_of(&domain).barrier, SRCU_BARRIER_FENCES);
	ck_assert_int_eq(stats_of(&domain).counters, SRCU_COUNT_ATOMIC);
	idx = srcu_read_lock(&domain);
	waiter_start(&waiter, false);
	waiter_assert_waits(&waiter);
	srcu_read_unlock(&domain, idx);
	await_flag(&waiter.returned);
	ck_assert_uint_eq(stats_of(&domain).membarriers, 0);
	waiter_finish(&waiter);
}
END_TEST

int main(void)
{
	TCase *waits = test_case("waits"), *ends = test_case("ends"), *fenced = test_case("fenced");
	TCase *cases[] = {waits, ends, fenced, NULL};

	tcase_add_test(waits, waits_for_a_reader_on_either_rank);
	tcase_add_test(waits, waits_for_readers_on_both_ranks);
	tcase_add_test(waits, waits_for_a_reader_that_fetched_the_word_long_ago);
	tcase_add_test(waits, waits_for_a_reader_on_a_cpu_above_the_mark);
	tcase_add_test(waits, waits_for_a_reader_on_the_twin);
	tcase_add_test(ends, ends_while_later_readers_keep_coming);
	tcase_add_test(ends, an_unshared_grace_period_costs_one_membarrier);
	tcase_add_test(ends, the_kernel_sees_as_many_membarriers_as_are_told);
	tcase_add_test(ends, reports_are_no_cancellation_points);
	tcase_add_test(ends, callers_share_a_grace_period);
	tcase_add_test(ends, a_grace_period_that_has_begun_is_not_joined);
	tcase_add_test(ends, a_reader_delays_its_own_domain_only);
	if (!forced("nomemory"))
		tcase_add_test(fenced, fenced_domains_make_no_membarrier);
	return run_suite("grace periods", cases);
}
