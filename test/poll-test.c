/* SPDX-License-Identifier: MIT */
/*
 * Polling for grace periods and waiting for a limited time: what a cookie
 * covers, who makes it done, and that a time-out leaves everything usable.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static struct srcu_struct domain;

static void init_domain(void)
{
	const struct srcu_struct fresh = SRCU_STRUCT_INIT_(domain);

	warnings_collect();
	if (forced("nomemory"))
		memcpy(&domain, &fresh, sizeof(domain));
	else
		ck_assert_int_eq(init_srcu_struct(&domain), 0);
}

static void assert_clean(void)
{
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(warnings(), 0);
}

START_TEST(a_fresh_cookie_is_not_done)
{
	uint64_t cookie;

	init_domain();
	cookie = get_state_synchronize_srcu(&domain);
	ck_assert(!poll_state_synchronize_srcu(&domain, cookie));
	/* Polling starts no grace period that nobody asked for. */
	ck_assert_uint_eq(srcu_batches_completed(&domain), 0);
	ck_assert(poll_state_synchronize_srcu(&domain, get_completed_synchronize_srcu()));
	assert_clean();
}
END_TEST

START_TEST(any_grace_period_since_makes_a_cookie_done)
{
	uint64_t cookie;

	init_domain();
	for (int i = 0; i < 10; i++) {
		cookie = get_state_synchronize_srcu(&domain);
		i % 2 ? synchronize_srcu(&domain) : synchronize_srcu_expedited(&domain);
		ck_assert(poll_state_synchronize_srcu(&domain, cookie));
		ck_assert_uint_eq(srcu_batches_completed(&domain), (uint64_t)i + 1);
	}
	assert_clean();
}
END_TEST

START_TEST(polling_alone_completes_a_started_cookie)
{
	uint64_t cookie;

	init_domain();
	cookie = start_poll_synchronize_srcu(&domain);
	/* No reader: it was done on the spot. */
	ck_assert(poll_state_synchronize_srcu(&domain, cookie));
	ck_assert_uint_eq(srcu_batches_completed(&domain), 1);
	assert_clean();
}
END_TEST

START_TEST(a_started_cookie_waits_for_its_readers_only)
{
	struct srcu_ctr *early, *late;
	uint64_t cookie;

	init_domain();
	early = srcu_read_lock_fast(&domain);
	cookie = start_poll_synchronize_srcu(&domain);
	ck_assert(!poll_state_synchronize_srcu(&domain, cookie));
	late = srcu_read_lock_fast(&domain);
	for (int i = 0; i < 100; i++)
		ck_assert(!poll_state_synchronize_srcu(&domain, cookie));
	srcu_read_unlock_fast(&domain, early);
	ck_assert(poll_state_synchronize_srcu(&domain, cookie));
	srcu_read_unlock_fast(&domain, late);
	assert_clean();
}
END_TEST

START_TEST(a_cookie_of_now_is_not_done_by_a_grace_period_of_before)
{
	struct srcu_ctr *first, *second;
	uint64_t earlier, later;

	init_domain();
	first = srcu_read_lock_fast(&domain);
	earlier = start_poll_synchronize_srcu(&domain);
	second = srcu_read_lock_fast(&domain);
	later = start_poll_synchronize_srcu(&domain);
	ck_assert(!same_state_synchronize_srcu(earlier, later));
	ck_assert(same_state_synchronize_srcu(later, get_state_synchronize_srcu(&domain)));
	srcu_read_unlock_fast(&domain, first);
	ck_assert(poll_state_synchronize_srcu(&domain, earlier));
	ck_assert(!poll_state_synchronize_srcu(&domain, later));
	srcu_read_unlock_fast(&domain, second);
	ck_assert(poll_state_synchronize_srcu(&domain, later));
	assert_clean();
}
END_TEST

START_TEST(cond_synchronize_waits_only_when_it_must)
{
	uint64_t cookie;
	int idx;

	init_domain();
	cookie = get_state_synchronize_srcu(&domain);
	cond_synchronize_srcu(&domain, cookie);
	ck_assert_uint_eq(srcu_batches_completed(&domain), 1);
	idx = srcu_read_lock(&domain);
	cond_synchronize_srcu(&domain, cookie); /* would hang if it waited */
	ck_assert_uint_eq(srcu_batches_completed(&domain), 1);
	srcu_read_unlock(&domain, idx);
	assert_clean();
}
END_TEST

START_TEST(a_time_out_leaves_everything_usable)
{
	struct srcu_stats stats;
	uint64_t cookie;
	int idx;

	init_domain();
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), 0);
	ck_assert_int_eq(synchronize_srcu_timeout(NULL, 0), -EINVAL);
	warnings_collect();
	idx = srcu_down_read(&domain);
	cookie = get_state_synchronize_srcu(&domain);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(
			synchronize_srcu_timeout(&domain, (uint64_t)i * 100000), -ETIMEDOUT);
	ck_assert(!poll_state_synchronize_srcu(&domain, cookie));
	ck_assert_int_eq(cleanup_srcu_struct(&domain), -EBUSY);
	ck_assert(warned_of("1 reader"));
	warnings_collect();
	srcu_up_read(&domain, idx);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, UINT64_MAX), 0);
	ck_assert(poll_state_synchronize_srcu(&domain, cookie));
	idx = srcu_down_read(&domain);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 1000), -ETIMEDOUT);
	srcu_up_read(&domain, idx);
	srcu_get_stats(&domain, &stats);
	ck_assert_uint_eq(stats.readers, 0);
	assert_clean(); /* with the grace period of the last time-out still under way */
}
END_TEST

struct waiter {
	uint64_t timeout_ns;
	int result, returned;
};

static void *wait_limited(void *arg)
{
	struct waiter *waiter = arg;

	waiter->result = synchronize_srcu_timeout(&domain, waiter->timeout_ns);
	set_flag(&waiter->returned);
	return NULL;
}

START_TEST(a_follower_takes_over_from_a_leader_that_gave_up)
{
	struct waiter leader = {.timeout_ns = 20000000}, follower = {.timeout_ns = UINT64_MAX};
	pthread_t threads[2];
	int idx;

	init_domain();
	idx = srcu_read_lock(&domain);
	threads[0] = thread_start(wait_limited, &leader);
	/* Where this thread is slow, it may have led and given up before anybody looks. */
	while (!__atomic_load_n(&domain.gp_lock_, __ATOMIC_RELAXED) && !flag_set(&leader.returned))
		sched_yield();
	threads[1] = thread_start(wait_limited, &follower);
	await_flag(&leader.returned);
	ck_assert_int_eq(leader.result, -ETIMEDOUT);
	ck_assert(!flag_set(&follower.returned));
	srcu_read_unlock(&domain, idx);
	await_flag(&follower.returned);
	ck_assert_int_eq(follower.result, 0);
	thread_join(threads[0]);
	thread_join(threads[1]);
	assert_clean();
}
END_TEST

START_TEST(a_follower_times_out_behind_a_leader)
{
	struct waiter leader = {.timeout_ns = UINT64_MAX};
	pthread_t thread;
	int idx;

	init_domain();
	idx = srcu_down_read(&domain);
	thread = thread_start(wait_limited, &leader);
	while (!__atomic_load_n(&domain.gp_lock_, __ATOMIC_RELAXED))
		sched_yield();
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 1000000), -ETIMEDOUT);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
	srcu_expedite_current(&domain);
	srcu_up_read(&domain, idx);
	await_flag(&leader.returned);
	thread_join(thread);
	assert_clean();
}
END_TEST

static uint64_t handler_cookie;
static uint64_t handler_done;

static void poll_in_handler(void)
{
	if (poll_state_synchronize_srcu(&domain, handler_cookie)) {
		handler_cookie = start_poll_synchronize_srcu(&domain);
		handler_done++;
	}
	srcu_expedite_current(&domain);
}

START_TEST(handlers_poll_over_a_synchronize_they_interrupt)
{
	struct storm storm;

	init_domain();
	storm_start(&storm, SIGRTMIN, poll_in_handler);
	while (storm_handled() < 2000) {
		synchronize_srcu(&domain);
		srcu_read_unlock(&domain, srcu_read_lock(&domain));
	}
	storm_stop(&storm);
	ck_assert_uint_gt(handler_done, 0);
	synchronize_srcu(&domain);
	assert_clean();
}
END_TEST

START_TEST(misuse_is_reported)
{
	uint64_t cookie;

	init_domain();
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	cookie = start_poll_synchronize_srcu(&domain);
	ck_assert_uint_eq(cookie, get_completed_synchronize_srcu());
	ck_assert_uint_eq(get_state_synchronize_srcu(NULL), get_completed_synchronize_srcu());
	ck_assert(!poll_state_synchronize_srcu(NULL, cookie));
	cond_synchronize_srcu(NULL, cookie);
	srcu_expedite_current(NULL);
	ck_assert_uint_eq(srcu_batches_completed(NULL), 0);
	ck_assert_uint_ge(warnings(), 6);
	ck_assert(warned_of("srcu_batches_completed: the domain is NULL"));
}
END_TEST

int main(void)
{
	TCase *cookies = test_case("cookies"), *limits = test_case("limits");
	TCase *cases[] = {cookies, limits, NULL};

	tcase_add_test(cookies, a_fresh_cookie_is_not_done);
	tcase_add_test(cookies, any_grace_period_since_makes_a_cookie_done);
	tcase_add_test(cookies, polling_alone_completes_a_started_cookie);
	tcase_add_test(cookies, a_started_cookie_waits_for_its_readers_only);
	tcase_add_test(cookies, a_cookie_of_now_is_not_done_by_a_grace_period_of_before);
	tcase_add_test(cookies, cond_synchronize_waits_only_when_it_must);
	tcase_add_test(cookies, handlers_poll_over_a_synchronize_they_interrupt);
	tcase_add_test(cookies, misuse_is_reported);
	tcase_add_test(limits, a_time_out_leaves_everything_usable);
	tcase_add_test(limits, a_follower_takes_over_from_a_leader_that_gave_up);
	tcase_add_test(limits, a_follower_times_out_behind_a_leader);
	return run_suite("polling", cases);
}
