/* SPDX-License-Identifier: MIT */
/*
 * Crowds: 100,000 domains in use at once, 10,000 threads in sections at once, 2,000
 * that wait at once, and, for MINUTES=<n>, a section that lasts that long.  many-test.c
 * has those that come one after the other, and what they cost.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "items.h"

enum {
	DOMAINS = SANITIZED ? 5000 : 100000,
	READERS = SANITIZED ? 500 : 10000,
	UPDATERS = SANITIZED ? 200 : 2000,
	STACK = SANITIZED ? 1 << 20 : 1 << 16,
};

START_TEST(a_hundred_thousand_domains_are_apart)
{
	static const struct srcu_options options = {.callbacks = SRCU_CALLBACKS_CALLER};
	struct srcu_struct *domains = calloc(DOMAINS, sizeof(*domains));
	int *tokens = calloc(DOMAINS, sizeof(*tokens));

	warnings_collect();
	for (int i = 0; i < DOMAINS; i++)
		ck_assert_int_eq(init_srcu_struct_with(&domains[i], &options), 0);
	/* Readers in two of three; no two domains have counts in common. */
	for (int i = 0; i < DOMAINS; i++)
		if (i % 3)
			tokens[i] = srcu_read_lock(&domains[i]);
	for (int i = 0; i < DOMAINS; i++)
		ck_assert_int_eq(synchronize_srcu_timeout(&domains[i], 0), i % 3 ? -ETIMEDOUT : 0);
	for (int i = 0; i < DOMAINS; i++)
		if (i % 3 == 1)
			srcu_read_unlock(&domains[i], tokens[i]);
	for (int i = 0; i < DOMAINS; i++)
		ck_assert_int_eq(
			synchronize_srcu_timeout(&domains[i], 0), i % 3 == 2 ? -ETIMEDOUT : 0);
	for (int i = 2; i < DOMAINS; i += 3)
		srcu_read_unlock(&domains[i], tokens[i]);
	for (int i = 0; i < DOMAINS; i++)
		assert_clean(&domains[i]);
	free(domains);
	free(tokens);
}
END_TEST

static void mark(struct srcu_head *head)
{
	set_flag(&item_of(head)->invoked);
}

/* The same threads of the library's see to all of them. */
START_TEST(callbacks_of_a_hundred_thousand_domains_are_invoked)
{
	struct srcu_struct *domains = calloc(DOMAINS, sizeof(*domains));
	struct item *items = calloc(DOMAINS, sizeof(*items));

	warnings_collect();
	for (int i = 0; i < DOMAINS; i++)
		ck_assert_int_eq(init_srcu_struct(&domains[i]), 0);
	for (int i = 0; i < DOMAINS; i++)
		ck_assert_int_eq(call_srcu(&domains[i], &items[i].head, mark), 0);
	for (int i = 0; i < DOMAINS; i++)
		ck_assert_int_eq(srcu_barrier(&domains[i]), 0);
	for (int i = 0; i < DOMAINS; i++) {
		ck_assert(flag_set(&items[i].invoked));
		assert_clean(&domains[i]);
	}
	free(domains);
	free(items);
}
END_TEST

DEFINE_STATIC_SRCU(domain);

/* Threads with small stacks, until one is refused; how many there are. */
static int threads_start_some(
	pthread_t *threads, int most, void *(*function)(void *), int *arguments)
{
	pthread_attr_t attributes;
	int n = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	while (n < most && !pthread_create(&threads[n], &attributes, function,
				   arguments ? &arguments[n] : NULL))
		n++;
	pthread_attr_destroy(&attributes);
	return n;
}

static void threads_start(pthread_t *threads, int n, void *(*function)(void *), int *arguments)
{
	ck_assert_int_eq(threads_start_some(threads, n, function, arguments), n);
}

static void *sit(void *arg)
{
	pause();
	return arg;
}

/*
 * Limits of many kinds are in the way of threads: a child, without the library, tries
 * whether there may be so many.
 */
static bool enough_threads(void)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		pthread_t *threads = calloc(READERS, sizeof(*threads));

		_exit(threads_start_some(threads, READERS, sit, NULL) < READERS);
	}
	waitpid(child, &status, 0);
	if (status)
		printf("skipped: crowds of threads, %d are not to be had here\n", READERS);
	return !status;
}

static struct stepper inside = STEPPER_INIT;
static int nr_inside;

static void await_inside(int n)
{
	while (__atomic_load_n(&nr_inside, __ATOMIC_ACQUIRE) < n)
		sched_yield();
}

static void *read_in_crowd(void *arg)
{
	struct srcu_ctr *scp = srcu_read_lock_fast(&domain);
	int idx = srcu_read_lock(&domain);

	__atomic_fetch_add(&nr_inside, 1, __ATOMIC_ACQ_REL);
	step_pause(&inside, 1);
	srcu_read_unlock(&domain, idx);
	srcu_read_unlock_fast(&domain, scp);
	return arg;
}

static uint64_t readers(void)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	return stats.readers;
}

START_TEST(ten_thousand_threads_are_inside)
{
	pthread_t *threads = calloc(READERS, sizeof(*threads));

	warnings_collect();
	threads_start(threads, READERS, read_in_crowd, NULL);
	await_inside(READERS);
	ck_assert_uint_eq(readers(), 2 * (uint64_t)READERS);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
	step_allow(&inside, 1);
	synchronize_srcu(&domain);
	for (int i = 0; i < READERS; i++)
		thread_join(threads[i]);
	ck_assert_uint_eq(readers(), 0);
	assert_clean(&domain);
	free(threads);
}
END_TEST

static int nr_returned;

/* The thread's id is stored for those who look whether it sleeps. */
static void *wait_in_crowd(void *tid)
{
	__atomic_store_n((int *)tid, gettid(), __ATOMIC_RELEASE);
	synchronize_srcu(&domain);
	__atomic_fetch_add(&nr_returned, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* They wait for one reader, and share the grace period that it holds up, or the next. */
START_TEST(two_thousand_threads_wait)
{
	pthread_t *threads = calloc(UPDATERS, sizeof(*threads));
	int *tids = calloc(UPDATERS, sizeof(*tids));
	struct srcu_stats stats;
	int idx;

	warnings_collect();
	idx = srcu_read_lock(&domain);
	threads_start(threads, UPDATERS, wait_in_crowd, tids);
	/* Each has come to sleep and none has gone on: they wait at once. */
	for (int i = 0; i < UPDATERS; i++)
		await_asleep(&tids[i]);
	ck_assert_int_eq(__atomic_load_n(&nr_returned, __ATOMIC_RELAXED), 0);
	ck_assert_uint_eq(srcu_batches_completed(&domain), 0);
	srcu_read_unlock(&domain, idx);
	for (int i = 0; i < UPDATERS; i++)
		thread_join(threads[i]);
	/* Each has led one, or counts as one who has not. */
	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	ck_assert_uint_ge(stats.grace_periods + stats.shared, UPDATERS);
	/* On a slow machine the wait has been reported. */
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	free(threads);
	free(tids);
}
END_TEST

static unsigned int reports;

static void count_report(const struct srcu_struct *ssp, const char *message)
{
	ck_assert_ptr_eq(ssp, &domain);
	ck_assert(strstr(message, "has waited"));
	__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED);
}

/* The time of the test, not of anything that it asserts. */
static void pass_minutes(int minutes, struct srcu_struct *other)
{
	struct item item = {.invoked = 0};
	time_t end = time(NULL) + 60 * minutes;

	while (time(NULL) < end) {
		ck_assert_int_eq(synchronize_srcu_timeout(&domain, 1000000000), -ETIMEDOUT);
		synchronize_srcu(other);
		ck_assert_int_eq(call_srcu(other, &item.head, mark), 0);
		ck_assert_int_eq(srcu_barrier(other), 0);
	}
}

START_TEST(a_section_lasts_for_minutes)
{
	struct item item = {.invoked = 0};
	struct srcu_struct other;
	pthread_t waiter;
	int idx, tid;

	init_domain(&other, SRCU_CALLBACKS_THREADS);
	srcu_set_warn_handler(count_report);
	idx = srcu_read_lock(&domain);
	ck_assert_int_eq(call_srcu(&domain, &item.head, mark), 0);
	waiter = thread_start(wait_in_crowd, &tid);
	pass_minutes(atoi(getenv("MINUTES")), &other);
	ck_assert(!flag_set(&item.invoked));
	ck_assert_uint_eq(srcu_batches_completed(&domain), 0);
	ck_assert_uint_gt(__atomic_load_n(&reports, __ATOMIC_RELAXED), 0);
	srcu_read_unlock(&domain, idx);
	thread_join(waiter);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert(flag_set(&item.invoked));
	ck_assert_int_eq(cleanup_srcu_struct(&other), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

int main(void)
{
	TCase *crowds = test_case("crowds");
	bool enough = enough_threads();
	int status;

	if (!forced("nomemory")) {
		tcase_add_test(crowds, a_hundred_thousand_domains_are_apart);
		tcase_add_test(crowds, callbacks_of_a_hundred_thousand_domains_are_invoked);
	}
	if (enough) {
		tcase_add_test(crowds, ten_thousand_threads_are_inside);
		tcase_add_test(crowds, two_thousand_threads_wait);
	}
	if (getenv("MINUTES"))
		tcase_add_test(crowds, a_section_lasts_for_minutes);
	status = run_suite("crowds", (TCase *[]){crowds, NULL});
	return status || enough ? status : 77;
}
