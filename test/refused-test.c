/* SPDX-License-Identifier: MIT */
/*
 * Threads are refused: then those who wait for grace periods run the callbacks,
 * none is lost, and threads take over once they may be had.  The library's calls
 * of pthread_create() come here, and are known by their attributes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "items.h"

#define WITHOUT_LIMIT 1000000

static int permits = WITHOUT_LIMIT;
static int refusals;

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* A sanitizer's, where it is linked into the program and we have replaced it. */
extern create_fn __interceptor_pthread_create __attribute__((weak));

int pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg)
{
	create_fn *create = __interceptor_pthread_create;

	if (!create)
		*(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
	if (attr && __atomic_fetch_sub(&permits, 1, __ATOMIC_RELAXED) <= 0) {
		set_flag(&refusals);
		return EAGAIN;
	}
	return create(thread, attr, function, arg);
}

static void permit(int threads)
{
	__atomic_store_n(&permits, threads, __ATOMIC_RELAXED);
}

static struct srcu_struct domain, other;

static void use_synchronize(void)
{
	synchronize_srcu(&domain);
}

static void use_cond(void)
{
	cond_synchronize_srcu(&domain, get_state_synchronize_srcu(&domain));
}

static void use_barrier(void)
{
	ck_assert_int_eq(srcu_barrier(&domain), 0);
}

static void (*const updaters[])(void) = {use_synchronize, use_cond, use_barrier};
#define UPDATERS 3

static pthread_t invoking_thread;

static void note_thread(struct srcu_head *head)
{
	invoking_thread = pthread_self();
	note(head);
}

enum { SOME = 10 };

static void queue_some(struct srcu_struct *ssp, struct item *items)
{
	memset(items, 0, SOME * sizeof(*items));
	for (int i = 0; i < SOME; i++)
		ck_assert_int_eq(call_srcu(ssp, &items[i].head, note_thread), 0);
}

static void await_invoked(uint64_t number)
{
	while (items_invoked() < number)
		sched_yield();
}

START_TEST(updaters_invoke_where_no_thread_is_to_be_had)
{
	struct item items[SOME];

	permit(0);
	init_static_domain(&domain);
	if (!forced("nomemory"))
		ck_assert_int_eq(init_srcu_struct(&domain), 0);
	ck_assert_int_eq(srcu_start_callbacks(), -EAGAIN);
	for (unsigned int round = 1; round <= 3; round++) {
		queue_some(&domain, items);
		updaters[_i]();
		ck_assert_uint_eq(items_invoked(), round * SOME);
		ck_assert(pthread_equal(invoking_thread, pthread_self()));
	}
	ck_assert_uint_eq(library_threads("srcu-"), 0);
	permit(WITHOUT_LIMIT);
	queue_some(&domain, items);
	ck_assert_int_eq(srcu_start_callbacks(), 0);
	await_invoked(4 * SOME);
	ck_assert(!pthread_equal(invoking_thread, pthread_self()));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

/* That invokers are refused is known once one has been needed. */
START_TEST(updaters_invoke_where_no_invoker_is_to_be_had)
{
	struct item items[SOME];

	permit(1);
	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	for (unsigned int round = 1; round <= 3; round++) {
		queue_some(&domain, items);
		while (items_invoked() < round * SOME)
			updaters[_i]();
		ck_assert_uint_eq(items_invoked(), round * SOME);
		ck_assert(pthread_equal(invoking_thread, pthread_self()));
	}
	ck_assert_uint_eq(library_threads("srcu-invoker"), 0);
	permit(WITHOUT_LIMIT);
	queue_some(&domain, items);
	await_invoked(4 * SOME);
	ck_assert(!pthread_equal(invoking_thread, pthread_self()));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

/* The next updater starts the thread, and need not invoke anything. */
START_TEST(an_updater_starts_the_thread)
{
	struct item items[SOME];

	init_static_domain(&domain);
	queue_some(&domain, items);
	ck_assert_uint_eq(library_threads("srcu-"), 0);
	synchronize_srcu(&domain);
	await_invoked(SOME);
	ck_assert(!pthread_equal(invoking_thread, pthread_self()));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

/* Who still knew of the domain would fall over it. */
static void clean_and_poison(struct srcu_struct *ssp)
{
	assert_clean(ssp);
	memset(ssp, 0xa5, sizeof(*ssp));
}

static void assert_threads_work(void)
{
	uint64_t before = items_invoked();
	struct item items[SOME];

	permit(WITHOUT_LIMIT);
	init_domain(&other, SRCU_CALLBACKS_THREADS);
	queue_some(&other, items);
	await_invoked(before + SOME);
	ck_assert_int_eq(srcu_barrier(&other), 0);
	assert_clean(&other);
}

START_TEST(nothing_points_to_a_domain_that_was_cleaned_up)
{
	static struct srcu_struct gone, *ssp = &gone;
	struct item items[SOME], items_of_other[SOME];

	/* None; or one, for which the domain then waits for invokers. */
	permit(_i);
	srcu_start_callbacks();
	init_static_domain(&domain);
	init_static_domain(ssp);
	queue_some(&domain, items_of_other);
	queue_some(ssp, items);
	await_flag(&refusals);
	ck_assert_int_eq(srcu_barrier(ssp), 0);
	ck_assert_uint_eq(items_invoked(), SOME);
	clean_and_poison(ssp);
	permit(WITHOUT_LIMIT);
	ck_assert_int_eq(srcu_start_callbacks(), 0);
	await_invoked(2 * SOME); /* the other domain has not been forgotten with it */
	assert_threads_work();
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

START_TEST(a_clean_up_that_fails_leaves_the_domain_to_the_threads)
{
	struct item items[SOME];
	int idx;

	permit(_i);
	srcu_start_callbacks();
	init_static_domain(&domain);
	queue_some(&domain, items);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	idx = srcu_read_lock(&domain);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), -EBUSY);
	srcu_read_unlock(&domain, idx);
	permit(WITHOUT_LIMIT);
	ck_assert_int_eq(srcu_start_callbacks(), 0);
	queue_some(&domain, items);
	await_invoked(2 * SOME);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

int main(void)
{
	TCase *refused = test_case("refused"), *clean_up = test_case("clean-up");
	TCase *cases[] = {refused, clean_up, NULL};

	tcase_add_loop_test(refused, updaters_invoke_where_no_thread_is_to_be_had, 0, UPDATERS);
	tcase_add_loop_test(refused, updaters_invoke_where_no_invoker_is_to_be_had, 0, UPDATERS);
	tcase_add_test(refused, an_updater_starts_the_thread);
	tcase_add_loop_test(clean_up, nothing_points_to_a_domain_that_was_cleaned_up, 0, 2);
	tcase_add_loop_test(clean_up, a_clean_up_that_fails_leaves_the_domain_to_the_threads, 0, 2);
	return run_suite("threads refused", cases);
}
