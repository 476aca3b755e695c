/* SPDX-License-Identifier: MIT */
/*
 * srcu_barrier() and srcu_run_callbacks(): what they wait for and what they do
 * not, and who invokes what another has left.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "items.h"

static struct srcu_struct domain;

/* Wait until somebody sleeps until callbacks have been invoked, or goes to. */
static void await_waiter(void)
{
	while (!__atomic_load_n(&domain.cb_sleepers_, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void queue(struct item *item, void (*function)(struct srcu_head *))
{
	ck_assert_int_eq(call_srcu(&domain, &item->head, function), 0);
}

static int may_end;
static uint64_t rounds;

static void come_again(struct srcu_head *head)
{
	__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
	if (!flag_set(&may_end))
		ck_assert_int_eq(call_srcu(&domain, head, come_again), 0);
}

START_TEST(a_callback_that_queues_itself_traps_nobody)
{
	struct item item = {0};
	bool by_caller = _i;

	init_domain(&domain, by_caller ? SRCU_CALLBACKS_CALLER : SRCU_CALLBACKS_THREADS);
	queue(&item, come_again);
	for (int i = 0; i < 100 && by_caller; i++)
		ck_assert_uint_eq(srcu_run_callbacks(&domain, UINT64_MAX), 1);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_ge(__atomic_load_n(&rounds, __ATOMIC_RELAXED), 100);
	set_flag(&may_end);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

START_TEST(a_barrier_does_not_wait_for_what_is_queued_later)
{
	struct item first = {0}, second = {.number = 1}, later = {0};
	struct barrier_caller caller;

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	queue(&first, block);
	await_flag(&first.invoked);
	queue(&second, note);
	barrier_start(&caller, &domain);
	await_waiter();
	queue(&later, block);
	ck_assert(!flag_set(&caller.returned));
	set_flag(&first.may_return);
	thread_join(caller.thread);
	ck_assert(flag_set(&second.invoked));
	await_flag(&later.invoked);
	ck_assert_uint_eq(items_invoked(), 2);
	set_flag(&later.may_return);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

START_TEST(a_barrier_invokes_nothing_that_is_queued_later)
{
	struct item first = {.number = 1}, later = {.number = 2};
	struct barrier_caller caller;
	int idx;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	idx = srcu_read_lock(&domain);
	queue(&first, note);
	barrier_start(&caller, &domain);
	while (!__atomic_load_n(&domain.needed_, __ATOMIC_ACQUIRE))
		sched_yield();
	await_asleep(&caller.tid);
	queue(&later, note);
	srcu_read_unlock(&domain, idx);
	thread_join(caller.thread);
	ck_assert(flag_set(&first.invoked));
	ck_assert(!flag_set(&later.invoked));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert(flag_set(&later.invoked));
	assert_clean(&domain);
}
END_TEST

/*
 * The last callback has several, so that it is most likely one of them who invokes
 * all, and must let the other go before the last one blocks it.
 */
START_TEST(each_barrier_returns_at_its_own_callback)
{
	enum { FIRST, SECOND, LAST, CALLERS = 8 };
	struct barrier_caller callers[CALLERS];
	struct item items[3] = {0};

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	queue(&items[FIRST], block);
	barrier_start(&callers[FIRST], &domain);
	await_flag(&items[FIRST].invoked);
	queue(&items[SECOND], block);
	barrier_start(&callers[SECOND], &domain);
	await_waiter();
	queue(&items[LAST], block);
	for (int i = LAST; i < CALLERS; i++) {
		barrier_start(&callers[i], &domain);
		await_asleep(&callers[i].tid);
	}
	for (int i = FIRST; i <= LAST; i++) {
		await_flag(&items[i].invoked);
		for (int j = i; j < CALLERS; j++) {
			ck_assert(!flag_set(&callers[j].returned));
			if (callers[j].tid != items[i].invoker)
				await_asleep(&callers[j].tid);
		}
		set_flag(&items[i].may_return);
		thread_join(callers[i].thread);
		ck_assert_uint_eq(items_invoked(), (unsigned int)i + 1);
	}
	for (int i = LAST + 1; i < CALLERS; i++)
		thread_join(callers[i].thread);
	assert_clean(&domain);
}
END_TEST

static void *run_one(void *arg)
{
	(void)arg;
	ck_assert_uint_eq(srcu_run_callbacks(&domain, 1), 1);
	return NULL;
}

START_TEST(a_barrier_takes_over_where_another_invoker_stops)
{
	struct item items[3] = {0};
	struct barrier_caller caller;
	pthread_t runner;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	queue(&items[0], block);
	queue(&items[1], note);
	queue(&items[2], note);
	runner = thread_start(run_one, NULL);
	await_flag(&items[0].invoked);
	barrier_start(&caller, &domain);
	await_waiter();
	ck_assert(!flag_set(&items[1].invoked));
	set_flag(&items[0].may_return);
	thread_join(runner);
	thread_join(caller.thread);
	ck_assert_uint_eq(items_invoked(), 3);
	assert_clean(&domain);
}
END_TEST

START_TEST(a_barrier_waits_for_the_one_in_hand)
{
	struct item item = {0};
	struct barrier_caller caller;

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	queue(&item, block);
	await_flag(&item.invoked);
	barrier_start(&caller, &domain);
	while (!flag_set(&caller.returned) &&
		!__atomic_load_n(&domain.cb_sleepers_, __ATOMIC_ACQUIRE))
		sched_yield();
	ck_assert(!flag_set(&caller.returned));
	set_flag(&item.may_return);
	thread_join(caller.thread);
	assert_clean(&domain);
}
END_TEST

static void cancel_self(struct srcu_head *head)
{
	pthread_cancel(pthread_self());
	pthread_testcancel();
	note(head);
}

/* With no assertion in it: those are cancellation points. */
static void *barrier_and_cancel(void *arg)
{
	if (!srcu_barrier(&domain) && items_invoked() == 10)
		pthread_testcancel();
	return arg;
}

START_TEST(a_cancelled_thread_invokes_the_rest)
{
	struct item items[10] = {0};
	pthread_t thread;
	void *result;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	queue(&items[0], cancel_self);
	for (int i = 1; i < 10; i++)
		queue(&items[i], note);
	thread = thread_start(barrier_and_cancel, NULL);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert_uint_eq(items_invoked(), 10);
	assert_clean(&domain);
}
END_TEST

int main(void)
{
	TCase *limits = test_case("limits"), *hand_over = test_case("hand-over");
	TCase *cases[] = {limits, hand_over, NULL};

	tcase_add_loop_test(limits, a_callback_that_queues_itself_traps_nobody, 0, 2);
	tcase_add_test(limits, a_barrier_does_not_wait_for_what_is_queued_later);
	tcase_add_test(limits, a_barrier_invokes_nothing_that_is_queued_later);
	tcase_add_loop_test(limits, each_barrier_returns_at_its_own_callback, 0, 10);
	tcase_add_test(hand_over, a_barrier_takes_over_where_another_invoker_stops);
	tcase_add_test(hand_over, a_barrier_waits_for_the_one_in_hand);
	tcase_add_test(hand_over, a_cancelled_thread_invokes_the_rest);
	return run_suite("barriers", cases);
}
