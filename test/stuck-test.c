/* SPDX-License-Identifier: MIT */
/*
 * Barriers refused once readers rely on them: the walk over all CPUs, and, when
 * that is refused too, grace periods that say so and end only when they may.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "hunters.h"
#include "items.h"
#include "refuse.h"
#include "syscalls.h"

DEFINE_STATIC_SRCU(domain);

static struct srcu_stats stats_of(struct srcu_struct *ssp)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(ssp, &stats), 0);
	return stats;
}

/* A reader in another thread, inside from now on. */
static struct stepper reader = STEPPER_INIT;

static void *read_in_thread(void *arg)
{
	int idx = srcu_read_lock(&domain);

	step_pause(&reader, 1);
	srcu_read_unlock(&domain, idx);
	return arg;
}

static pthread_t reader_start(void)
{
	pthread_t thread = thread_start(read_in_thread, NULL);

	step_await(&reader, 1);
	return thread;
}

static void reader_stop(pthread_t thread)
{
	step_allow(&reader, 1);
	thread_join(thread);
}

static void *wait_for_readers(void *arg)
{
	synchronize_srcu(&domain);
	set_flag(arg);
	return NULL;
}

static void assert_waits(const int *returned)
{
	for (int i = 0; i < 200; i++)
		sched_yield();
	ck_assert_msg(!flag_set(returned), "the grace period ended too early");
}

static void no_filters(void)
{
	printf("the kernel has no filters of system calls, or they are refused\n");
}

/* Refusals that can be taken back. */
static int membarrier_refused, setaffinity_refused;
static cpu_set_t visited;

static void note_visit(const unsigned long *mask)
{
	const unsigned int bits = 8 * sizeof(long), cpu = (unsigned int)sched_getcpu();

	if (mask[cpu / bits] == 1ul << cpu % bits)
		CPU_SET(cpu, &visited);
}

long on_syscall(long number, const long a[6])
{
	long result;

	if ((number == SYS_membarrier && flag_set(&membarrier_refused)) ||
		(number == SYS_sched_setaffinity && flag_set(&setaffinity_refused))) {
		errno = EPERM;
		return -1;
	}
	result = real_syscall(number, a);
	if (number == SYS_sched_setaffinity && !result)
		note_visit((const unsigned long *)a[2]);
	return result;
}

static void refuse_barriers(bool refused)
{
	__atomic_store_n(&membarrier_refused, refused, __ATOMIC_RELEASE);
	__atomic_store_n(&setaffinity_refused, refused, __ATOMIC_RELEASE);
}

START_TEST(the_walk_visits_every_cpu_and_returns)
{
	pthread_t thread = reader_start();
	cpu_set_t before, after;

	warnings_collect();
	if (_i)
		pin_to_nth_cpu(0);
	sched_getaffinity(0, sizeof(before), &before);
	set_flag(&membarrier_refused);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
	ck_assert_int_eq(stats_of(&domain).barrier, SRCU_BARRIER_WALK);
	/* Alone on each that this process may use. */
	ck_assert_uint_ge((unsigned int)CPU_COUNT(&visited), cpus_allowed());
	sched_getaffinity(0, sizeof(after), &after);
	ck_assert(CPU_EQUAL(&before, &after));
	reader_stop(thread);
	synchronize_srcu(&domain);
	assert_clean(&domain);
}
END_TEST

START_TEST(no_section_is_missed_by_the_walk)
{
	warnings_collect();
	hunters_start(&domain);
	set_flag(&membarrier_refused);
	/* Each takes as long as the scheduler takes to get to every CPU. */
	assert_no_section_is_missed(&domain, HUNT_ROUNDS / 5);
	hunters_stop();
	assert_clean(&domain);
}
END_TEST

START_TEST(membarrier_is_refused_while_a_reader_is_inside)
{
	pthread_t thread = reader_start(), waiter;
	struct item item = {.number = 1};
	int returned = 0;

	warnings_collect();
	if (!refuse((int[]){SYS_membarrier, -1}, EPERM)) {
		no_filters();
		reader_stop(thread);
		return;
	}
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 1000000), -ETIMEDOUT);
	waiter = thread_start(wait_for_readers, &returned);
	assert_waits(&returned);
	reader_stop(thread);
	thread_join(waiter);
	ck_assert_int_eq(stats_of(&domain).barrier, SRCU_BARRIER_WALK);
	ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(items_invoked(), 1);
	assert_clean(&domain);
}
END_TEST

/* How often the refusal was reported: once, though waits that take long are as well. */
static unsigned int told;

static void count_told(const struct srcu_struct *ssp, const char *message)
{
	(void)ssp;
	if (strstr(message, "neither membarrier nor sched_setaffinity is allowed"))
		__atomic_fetch_add(&told, 1, __ATOMIC_RELAXED);
}

/* How a kernel, or what answers in its place, refuses. */
static const struct {
	int membarrier, setaffinity;
} refusals[] = {{EPERM, EPERM}, {ENOSYS, EPERM}, {EPERM, EINVAL}, {EPERM, 0}};
#define REFUSALS (int)(sizeof(refusals) / sizeof(refusals[0]))

START_TEST(without_a_barrier_no_grace_period_ends)
{
	pthread_t thread = reader_start();
	struct item item = {.number = 1};
	int returned = 0;
	uint64_t cookie;

	srcu_set_warn_handler(count_told);
	if (!refuse((int[]){SYS_membarrier, -1}, refusals[_i].membarrier) ||
		!refuse((int[]){SYS_sched_setaffinity, -1}, refusals[_i].setaffinity)) {
		no_filters();
		reader_stop(thread);
		return;
	}
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 1000000), -ETIMEDOUT);
	ck_assert_uint_eq(__atomic_load_n(&told, __ATOMIC_RELAXED), 1);
	cookie = start_poll_synchronize_srcu(&domain);
	ck_assert(!poll_state_synchronize_srcu(&domain, cookie));
	pthread_detach(thread_start(wait_for_readers, &returned));
	ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
	ck_assert_uint_eq(srcu_run_callbacks(&domain, 1), 0);
	assert_waits(&returned);
	reader_stop(thread);
	/* That it has gone cannot be known. */
	assert_waits(&returned);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 1000000), -ETIMEDOUT);
	ck_assert(!poll_state_synchronize_srcu(&domain, cookie));
	ck_assert_uint_eq(items_invoked(), 0);
	ck_assert_uint_eq(__atomic_load_n(&told, __ATOMIC_RELAXED), 1);
}
END_TEST

START_TEST(without_a_barrier_a_domain_cannot_end)
{
	struct srcu_struct quiet = SRCU_STRUCT_INIT_(quiet);
	pthread_t thread = reader_start();

	warnings_collect();
	srcu_read_unlock(&quiet, srcu_read_lock(&quiet));
	refuse_barriers(true);
	ck_assert_int_eq(cleanup_srcu_struct(&quiet), -EBUSY);
	ck_assert_uint_eq(warnings(), 2);
	ck_assert(warned_of("no barrier is allowed"));
	refuse_barriers(false);
	ck_assert_int_eq(cleanup_srcu_struct(&quiet), 0);
	reader_stop(thread);
}
END_TEST

static void refuse_barriers_from_now_on(struct srcu_head *head)
{
	(void)head;
	refuse_barriers(true);
}

/* It is in their hands when they are refused what it takes to let go. */
START_TEST(without_a_barrier_a_domain_cannot_leave_the_threads)
{
	struct srcu_struct busy = SRCU_STRUCT_INIT_(busy);
	struct item item = {.number = 1};

	warnings_collect();
	ck_assert_int_eq(srcu_start_callbacks(), 0);
	ck_assert_int_eq(call_srcu(&busy, &item.head, refuse_barriers_from_now_on), 0);
	while (!stats_of(&busy).invoked)
		sched_yield();
	ck_assert_int_eq(cleanup_srcu_struct(&busy), -EBUSY);
	ck_assert_uint_eq(warnings(), 2);
	ck_assert(warned_of("no barrier is allowed"));
	refuse_barriers(false);
	ck_assert_int_eq(cleanup_srcu_struct(&busy), 0);
}
END_TEST

/* Then no unlock can be said to have no lock. */
START_TEST(without_a_barrier_debug_mode_accuses_nobody)
{
	struct srcu_struct doubtful = SRCU_STRUCT_INIT_(doubtful);
	pthread_t thread = reader_start();
	int idx = srcu_read_lock(&doubtful);

	warnings_collect();
	refuse_barriers(true);
	ck_assert_int_eq(srcu_debug(&doubtful, 0), 0);
	srcu_read_unlock(&doubtful, idx);
	srcu_read_unlock(&doubtful, idx);
	ck_assert_uint_eq(warnings(), 1);
	ck_assert(warned_of("neither membarrier nor sched_setaffinity is allowed"));
	reader_stop(thread);
}
END_TEST

static void *barrier_in_thread(void *arg)
{
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	set_flag(arg);
	return NULL;
}

/* What is queued on one CPU goes to one list before, to the other while refused. */
START_TEST(all_go_on_once_they_may)
{
	enum { EACH = 20 };
	struct item items[3 * EACH] = {{.head = {0}}};
	int waiter_returned = 0, barrier_returned = 0;
	pthread_t waiter, barrier;

	init_domain(&domain, _i ? SRCU_CALLBACKS_THREADS : SRCU_CALLBACKS_CALLER);
	srcu_set_warn_handler(count_told);
	hunters_start(&domain);
	pin_to_nth_cpu(0);
	for (unsigned int i = 0; i < 3 * EACH; i++) {
		if (i == EACH)
			refuse_barriers(true);
		items[i].number = i + 1;
		ck_assert_int_eq(call_srcu(&domain, &items[i].head, note), 0);
		if (i == 2 * EACH)
			ck_assert_uint_le(srcu_run_callbacks(&domain, UINT64_MAX), EACH);
	}
	waiter = thread_start(wait_for_readers, &waiter_returned);
	barrier = thread_start(barrier_in_thread, &barrier_returned);
	assert_waits(&waiter_returned);
	assert_waits(&barrier_returned);
	ck_assert_uint_le(items_invoked(), EACH);
	/* They may have waited for a CPU only, so far. */
	while (!__atomic_load_n(&told, __ATOMIC_RELAXED))
		sched_yield();
	refuse_barriers(false);
	thread_join(waiter);
	thread_join(barrier);
	ck_assert_uint_eq(items_invoked(), 3 * EACH);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	synchronize_srcu(&domain);
	ck_assert_int_eq(stats_of(&domain).barrier, SRCU_BARRIER_MEMBARRIER);
	hunters_stop();
	ck_assert_uint_eq(__atomic_load_n(&told, __ATOMIC_RELAXED), 1);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

int main(void)
{
	TCase *walk, *stuck;
	struct srcu_stats stats;

	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	srcu_get_stats(&domain, &stats);
	if (stats.barrier == SRCU_BARRIER_FENCES) {
		printf("readers have fences: nobody asks for a barrier\n");
		return 77;
	}
	walk = test_case("walk");
	stuck = test_case("stuck");
	tcase_add_loop_test(walk, the_walk_visits_every_cpu_and_returns, 0, 2);
	tcase_add_test(walk, no_section_is_missed_by_the_walk);
	tcase_add_test(walk, membarrier_is_refused_while_a_reader_is_inside);
	tcase_add_loop_test(stuck, without_a_barrier_no_grace_period_ends, 0, REFUSALS);
	tcase_add_test(stuck, without_a_barrier_a_domain_cannot_end);
	tcase_add_test(stuck, without_a_barrier_a_domain_cannot_leave_the_threads);
	if (!getenv("SRCU_DEBUG"))
		tcase_add_test(stuck, without_a_barrier_debug_mode_accuses_nobody);
	tcase_add_loop_test(stuck, all_go_on_once_they_may, 0, 2);
	return run_suite("barriers refused", (TCase *[]){walk, stuck, NULL});
}
