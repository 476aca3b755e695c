/* SPDX-License-Identifier: MIT */
/*
 * Callbacks: invoked once, after a grace period, in order, queued from every
 * context; misuse.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "items.h"

static struct srcu_struct domain, other;

START_TEST(callbacks_come_once_and_in_order)
{
	enum { N = 1000 };
	struct item *items = calloc(N, sizeof(*items));
	struct srcu_stats stats;

	init_domain(&domain, _i ? SRCU_CALLBACKS_CALLER : SRCU_CALLBACKS_THREADS);
	pin_to_nth_cpu(0);
	for (unsigned int i = 0; i < N; i++) {
		items[i].number = i + 1;
		ck_assert_int_eq(call_srcu(&domain, &items[i].head, note), 0);
	}
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(items_invoked(), N);
	/* In the domain's one list; a push on a CPU's may be aborted, and go there. */
	ck_assert_msg(items_in_order() || !forced("classic"), "out of order");
	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	ck_assert_uint_eq(stats.queued, N);
	ck_assert_uint_eq(stats.invoked, N);
	assert_clean(&domain);
	free(items);
}
END_TEST

START_TEST(a_callback_waits_for_the_readers_before_it)
{
	struct item item = {.number = 1};
	int early, late;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	early = srcu_read_lock(&domain);
	ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(srcu_run_callbacks(&domain, UINT64_MAX), 0);
	late = srcu_read_lock(&domain);
	srcu_read_unlock(&domain, early);
	while (!srcu_run_callbacks(&domain, UINT64_MAX))
		sched_yield();
	ck_assert(flag_set(&item.invoked));
	srcu_read_unlock(&domain, late);
	assert_clean(&domain);
}
END_TEST

START_TEST(a_callback_of_now_is_not_served_by_a_grace_period_of_before)
{
	struct item first = {.number = 1}, second = {.number = 2};
	int early, late;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	early = srcu_read_lock(&domain);
	call_srcu(&domain, &first.head, note);
	srcu_run_callbacks(&domain, 1); /* its grace period has begun */
	late = srcu_read_lock(&domain);
	call_srcu(&domain, &second.head, note);
	srcu_read_unlock(&domain, early);
	for (int i = 0; i < 1000; i++)
		srcu_run_callbacks(&domain, UINT64_MAX);
	ck_assert(flag_set(&first.invoked));
	ck_assert(!flag_set(&second.invoked));
	srcu_read_unlock(&domain, late);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert(flag_set(&second.invoked));
	assert_clean(&domain);
}
END_TEST

START_TEST(run_callbacks_keeps_to_its_limit)
{
	struct item items[10] = {0};

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	for (unsigned int i = 0; i < 10; i++)
		call_srcu(&domain, &items[i].head, note);
	ck_assert_uint_eq(srcu_run_callbacks(&domain, 3), 3);
	ck_assert_uint_eq(srcu_run_callbacks(&domain, 0), 0);
	ck_assert_uint_eq(srcu_run_callbacks(&domain, UINT64_MAX), 7);
	ck_assert_uint_eq(items_invoked(), 10);
	assert_clean(&domain);
}
END_TEST

START_TEST(threads_invoke_without_being_asked)
{
	struct item item = {.number = 1};

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	for (int i = 0; i < 200; i++) {
		item.invoked = 0;
		ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
		await_flag(&item.invoked);
		/* The head is ours again once the count has gone up. */
		ck_assert_int_eq(srcu_barrier(&domain), 0);
	}
	assert_clean(&domain);
}
END_TEST

/* Which has nothing to do yet, and sleeps without limit. */
START_TEST(the_first_call_wakes_the_thread)
{
	struct item item = {.number = 1};

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	ck_assert_int_eq(srcu_start_callbacks(), 0);
	await_library_asleep("srcu-gp");
	ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
	await_flag(&item.invoked);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

struct pusher {
	unsigned int rounds;
	unsigned int *running;
};

static void *push_many(void *arg)
{
	struct pusher *pusher = arg;
	unsigned int cpus = cpus_allowed();

	for (unsigned int i = 0; i < pusher->rounds; i++) {
		struct item *item = malloc(sizeof(*item));

		item->head.queued_ = 0;
		if (i % 512 == 0)
			pin_to_nth_cpu(i / 512 % cpus);
		ck_assert_int_eq(call_srcu(&domain, &item->head, note_and_free), 0);
	}
	__atomic_fetch_sub(pusher->running, 1, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(none_is_lost_under_migration_and_barriers)
{
	unsigned int running = 3;
	struct pusher pusher = {.rounds = SANITIZED ? 20000 : 100000, .running = &running};
	pthread_t threads[3];

	init_domain(&domain, _i ? SRCU_CALLBACKS_CALLER : SRCU_CALLBACKS_THREADS);
	for (int i = 0; i < 3; i++)
		threads[i] = thread_start(push_many, &pusher);
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		ck_assert_int_eq(srcu_barrier(&domain), 0);
	for (int i = 0; i < 3; i++)
		thread_join(threads[i]);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(items_invoked(), 3 * pusher.rounds);
	assert_clean(&domain);
}
END_TEST

static struct item handler_items[4096];
static unsigned int handler_used;

static void push_in_handler(void)
{
	if (handler_used < 4096)
		call_srcu(&domain, &handler_items[handler_used++].head, note);
}

START_TEST(handlers_queue_over_the_pushes_they_interrupt)
{
	unsigned int running = 0;
	struct pusher pusher = {.rounds = 100, .running = &running};
	struct storm storm;
	uint64_t pushed = 0;

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	storm_start(&storm, SIGRTMIN, push_in_handler);
	while (storm_handled() < 2000) {
		push_many(&pusher);
		pushed += pusher.rounds;
		if (pushed % 1000 == 0)
			ck_assert_int_eq(srcu_barrier(&domain), 0);
	}
	storm_stop(&storm);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(items_invoked(), pushed + handler_used);
	assert_clean(&domain);
}
END_TEST

static int nested_error;

static void nest(struct srcu_head *head)
{
	static struct item nested;

	nested_error = srcu_barrier(&domain);
	nested_error = nested_error == -EDEADLK ? srcu_barrier(&other) : 1;
	synchronize_srcu(&domain);
	nested.number = 2;
	call_srcu(&domain, &nested.head, note);
	call_srcu(&domain, head, note); /* a head is free again in its function */
}

START_TEST(callbacks_may_wait_and_queue)
{
	struct item item = {.number = 1};

	init_domain(&domain, _i ? SRCU_CALLBACKS_CALLER : SRCU_CALLBACKS_THREADS);
	init_domain(&other, SRCU_CALLBACKS_THREADS);
	nested_error = 1;
	call_srcu(&domain, &item.head, nest);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_int_eq(nested_error, 0);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(items_invoked(), 2);
	assert_clean(&domain);
	assert_clean(&other);
}
END_TEST

START_TEST(misuse_is_reported)
{
	struct item item = {0};
	int idx;

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	ck_assert_int_eq(call_srcu(&domain, &item.head, NULL), -EINVAL);
	ck_assert(warned_of("the function is NULL"));
	ck_assert_int_eq(call_srcu(&domain, NULL, note), -EINVAL);
	ck_assert_int_eq(call_srcu(NULL, &item.head, note), -EINVAL);
	ck_assert_int_eq(srcu_barrier(NULL), -EINVAL);
	ck_assert_uint_eq(srcu_run_callbacks(NULL, 1), 0);
	ck_assert_uint_eq(warnings(), 5);
	idx = srcu_read_lock(&domain);
	ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
	ck_assert_int_eq(call_srcu(&domain, &item.head, note), -EBUSY);
	ck_assert(warned_of("is queued already"));
	srcu_read_unlock(&domain, idx);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), -EBUSY);
	ck_assert(warned_of("1 callback(s) have not returned"));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(items_invoked(), 1);
	warnings_collect();
	assert_clean(&domain);
}
END_TEST

START_TEST(a_domain_that_is_gone_refuses_and_leaves_the_head_as_it_was)
{
	struct item item = {.number = 1};

	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	item.invoked = 0;
	for (unsigned int i = 1; i <= 2; i++) {
		ck_assert_int_eq(call_srcu(&domain, &item.head, note), -EINVAL);
		ck_assert(warned_of("was cleaned up before"));
		ck_assert_uint_eq(warnings(), i);
	}
	warnings_collect();
	init_domain(&other, SRCU_CALLBACKS_CALLER);
	ck_assert_int_eq(call_srcu(&other, &item.head, note), 0);
	ck_assert_int_eq(srcu_barrier(&other), 0);
	ck_assert(flag_set(&item.invoked));
	assert_clean(&other);
}
END_TEST

START_TEST(slots_and_lists_are_reused)
{
	for (unsigned int i = 0; i < 300; i++) {
		struct item item = {0};

		init_domain(&domain, i % 2 ? SRCU_CALLBACKS_CALLER : SRCU_CALLBACKS_THREADS);
		pin_to_nth_cpu(i % cpus_allowed());
		call_srcu(&domain, &item.head, note);
		ck_assert_int_eq(srcu_barrier(&domain), 0);
		ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
		ck_assert_uint_eq(items_invoked(), i + 1);
	}
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

DEFINE_STATIC_SRCU(unborn);

START_TEST(a_domain_first_used_in_a_child_is_as_any)
{
	static struct item item;
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (!child) {
		item.number = 1;
		if (call_srcu(&unborn, &item.head, note) || srcu_barrier(&unborn) ||
			cleanup_srcu_struct(&unborn))
			_exit(1);
		_exit(item.invoked ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	TCase *order = test_case("order"), *contexts = test_case("contexts");
	TCase *misuse = test_case("misuse");
	TCase *cases[] = {order, contexts, misuse, NULL};

	tcase_add_loop_test(order, callbacks_come_once_and_in_order, 0, 2);
	tcase_add_test(order, a_callback_waits_for_the_readers_before_it);
	tcase_add_test(order, a_callback_of_now_is_not_served_by_a_grace_period_of_before);
	tcase_add_test(order, run_callbacks_keeps_to_its_limit);
	tcase_add_test(order, threads_invoke_without_being_asked);
	tcase_add_test(order, the_first_call_wakes_the_thread);
	tcase_add_loop_test(contexts, none_is_lost_under_migration_and_barriers, 0, 2);
	tcase_add_test(contexts, handlers_queue_over_the_pushes_they_interrupt);
	tcase_add_loop_test(contexts, callbacks_may_wait_and_queue, 0, 2);
	tcase_add_test(contexts, a_domain_first_used_in_a_child_is_as_any);
	tcase_add_test(misuse, misuse_is_reported);
	tcase_add_test(misuse, a_domain_that_is_gone_refuses_and_leaves_the_head_as_it_was);
	tcase_add_test(misuse, slots_and_lists_are_reused);
	return run_suite("callbacks", cases);
}
