/* SPDX-License-Identifier: MIT */
/*
 * The library's threads: what blocks in one domain delays no other, nothing is
 * forgotten as a domain comes to rest, an idle process has no wake-ups, and a
 * backlog is as large as the statistics say.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "items.h"

#define MANY_DOMAINS 40

static struct srcu_struct domain, other, many[MANY_DOMAINS];

START_TEST(a_callback_that_blocks_delays_no_other_domain)
{
	struct item blocker = {0}, item = {.number = 1};

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	init_domain(&other, SRCU_CALLBACKS_THREADS);
	call_srcu(&domain, &blocker.head, block);
	await_flag(&blocker.invoked);
	call_srcu(&other, &item.head, note);
	await_flag(&item.invoked);
	synchronize_srcu(&other);
	ck_assert_int_eq(srcu_barrier(&other), 0);
	synchronize_srcu(&domain); /* its own grace periods go on as well */
	set_flag(&blocker.may_return);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
	assert_clean(&other);
}
END_TEST

START_TEST(a_stuck_reader_delays_no_other_domain)
{
	struct item stuck = {.number = 1}, item = {.number = 1};
	int idx;

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	init_domain(&other, SRCU_CALLBACKS_THREADS);
	idx = srcu_read_lock(&domain);
	call_srcu(&domain, &stuck.head, note);
	call_srcu(&other, &item.head, note);
	await_flag(&item.invoked);
	ck_assert_int_eq(srcu_barrier(&other), 0);
	ck_assert(!flag_set(&stuck.invoked));
	srcu_read_unlock(&domain, idx);
	await_flag(&stuck.invoked);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
	assert_clean(&other);
}
END_TEST

static void block_in_many(struct item *items)
{
	for (int i = 0; i < MANY_DOMAINS; i++) {
		init_domain(&many[i], SRCU_CALLBACKS_THREADS);
		ck_assert_int_eq(call_srcu(&many[i], &items[i].head, block), 0);
	}
	for (int i = 0; i < MANY_DOMAINS; i++)
		await_flag(&items[i].invoked);
}

static void release_many(struct item *items)
{
	for (int i = 0; i < MANY_DOMAINS; i++) {
		set_flag(&items[i].may_return);
		ck_assert_int_eq(srcu_barrier(&many[i]), 0);
		assert_clean(&many[i]);
	}
}

START_TEST(many_callbacks_that_block_delay_no_other_domain)
{
	struct item items[MANY_DOMAINS] = {0}, item = {.number = 1};

	block_in_many(items);
	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	call_srcu(&domain, &item.head, note);
	await_flag(&item.invoked);
	ck_assert_uint_eq(items_invoked(), 1);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	release_many(items);
	ck_assert_uint_eq(items_invoked(), MANY_DOMAINS + 1);
	assert_clean(&domain);
}
END_TEST

static uint64_t wakeups(void)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	return stats.wakeups;
}

/*
 * Did the library's threads sleep through more than a second?  The interval is what is
 * looked at, and synchronises nothing: invokers too many end after a second.
 */
static bool nothing_moves(void)
{
	uint64_t woken = wakeups(), switches = library_switches();

	usleep(1200000);
	return wakeups() == woken && library_switches() == switches;
}

/*
 * Invokers that are too many go within seconds; a library that never comes to
 * rest meets the watchdog.
 */
static void await_rest(void)
{
	while (library_threads("srcu-invoker") > 1 || !nothing_moves())
		sched_yield();
	ck_assert_uint_eq(library_threads("srcu-gp"), 1);
}

START_TEST(an_idle_process_has_no_wakeups)
{
	struct item items[MANY_DOMAINS] = {0};

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	block_in_many(items);
	ck_assert_uint_ge(library_threads("srcu-invoker"), MANY_DOMAINS);
	release_many(items);
	await_rest();
	assert_clean(&domain);
}
END_TEST

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void pause_ns(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	while (now_ns() < end)
		;
}

/*
 * The moment in which the grace-period thread lets go of a domain is short, and
 * comes some microseconds after the callback: try them all.
 */
START_TEST(none_is_forgotten_as_the_domain_comes_to_rest)
{
	struct item item = {0};

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	for (unsigned int i = 0; i < (SANITIZED ? 5000 : 50000); i++) {
		item.invoked = 0;
		ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
		await_flag(&item.invoked);
		pause_ns(i * 7919ul % 60000);
	}
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

static pthread_barrier_t start_line;
enum { RACES = 500 };

static void *race_for_first_call(void *arg)
{
	struct item *items = arg;

	pin_to_nth_cpu(items[0].number % cpus_allowed());
	for (int i = 0; i < RACES; i++) {
		pthread_barrier_wait(&start_line);
		ck_assert_int_eq(call_srcu(&domain, &items[i].head, note), 0);
		pthread_barrier_wait(&start_line);
	}
	return NULL;
}

START_TEST(two_threads_race_for_the_first_call)
{
	static struct item items[2][RACES];
	pthread_t threads[2];

	ck_assert_int_eq(srcu_start_callbacks(), 0);
	pthread_barrier_init(&start_line, NULL, 3);
	for (unsigned int i = 0; i < 2; i++) {
		items[i][0].number = i;
		threads[i] = thread_start(race_for_first_call, items[i]);
	}
	for (unsigned int i = 0; i < RACES; i++) {
		init_static_domain(&domain);
		pthread_barrier_wait(&start_line);
		pthread_barrier_wait(&start_line);
		ck_assert_int_eq(srcu_barrier(&domain), 0);
		ck_assert_uint_eq(items_invoked(), 2 * (i + 1));
		assert_clean(&domain);
	}
	for (int i = 0; i < 2; i++)
		thread_join(threads[i]);
}
END_TEST

static sigset_t mask_in_callback;

static void note_mask(struct srcu_head *head)
{
	pthread_sigmask(SIG_SETMASK, NULL, &mask_in_callback);
	note(head);
}

START_TEST(callbacks_see_no_signals_in_our_threads)
{
	struct item item = {0};
	sigset_t mask;

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	call_srcu(&domain, &item.head, note_mask);
	await_flag(&item.invoked);
	ck_assert(sigismember(&mask_in_callback, SIGINT));
	ck_assert(sigismember(&mask_in_callback, SIGRTMAX));
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	ck_assert(!sigismember(&mask, SIGINT));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

static int policy_in_callback;

static void note_policy(struct srcu_head *head)
{
	policy_in_callback = sched_getscheduler(0);
	note(head);
}

/* As set by the C library, which hands it on, and behind its back. */
START_TEST(callbacks_have_the_default_policy)
{
	const struct sched_param param = {.sched_priority = 0};
	struct item item = {0};

	if (_i)
		ck_assert_int_eq(pthread_setschedparam(pthread_self(), SCHED_BATCH, &param), 0);
	else
		ck_assert_int_eq(sched_setscheduler(0, SCHED_BATCH, &param), 0);
	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	call_srcu(&domain, &item.head, note_policy);
	await_flag(&item.invoked);
	ck_assert_int_eq(policy_in_callback, SCHED_OTHER);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}
END_TEST

/* Bytes in use by the process, of whatever origin. */
static size_t resident(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	ck_assert_ptr_nonnull(statm);
	ck_assert_int_eq(fscanf(statm, "%*u %lu", &pages), 1);
	fclose(statm);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* The backlog, which is never negative. */
static uint64_t backlog(void)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	ck_assert_uint_ge(stats.queued, stats.invoked);
	return stats.queued - stats.invoked;
}

START_TEST(a_flood_behind_a_reader_needs_no_memory)
{
	const unsigned int flood = SANITIZED ? 100000 : 1000000;
	struct item *items = calloc(flood, sizeof(*items));
	size_t before;
	int idx;

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	idx = srcu_read_lock(&domain);
	call_srcu(&domain, &items[0].head, note);
	for (unsigned int i = 0; i < flood; i++)
		items[i].number = i;
	before = resident();
	for (unsigned int i = 1; i < flood; i++)
		call_srcu(&domain, &items[i].head, note);
	/* A sanitizer keeps its own books. */
	if (!SANITIZED)
		ck_assert_uint_lt(resident(), before + flood);
	ck_assert_uint_eq(backlog(), flood);
	srcu_read_unlock(&domain, idx);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(items_invoked(), flood);
	for (unsigned int i = 0; i < flood; i++)
		ck_assert(items[i].invoked);
	ck_assert_uint_eq(backlog(), 0);
	assert_clean(&domain);
	free(items);
}
END_TEST

static int pushers_done;

static void *push_and_free(void *arg)
{
	for (unsigned int i = 0; i < (SANITIZED ? 20000 : 200000); i++) {
		struct item *item = calloc(1, sizeof(*item));

		ck_assert_int_eq(call_srcu(&domain, &item->head, note_and_free), 0);
	}
	__atomic_fetch_add(&pushers_done, 1, __ATOMIC_RELEASE);
	return arg;
}

START_TEST(the_backlog_is_never_negative)
{
	pthread_t threads[2];

	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	for (int i = 0; i < 2; i++)
		threads[i] = thread_start(push_and_free, NULL);
	while (__atomic_load_n(&pushers_done, __ATOMIC_ACQUIRE) < 2)
		backlog();
	for (int i = 0; i < 2; i++)
		thread_join(threads[i]);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(backlog(), 0);
	assert_clean(&domain);
}
END_TEST

int main(void)
{
	TCase *isolation = test_case("isolation"), *rest = test_case("rest");
	TCase *load = test_case("load");
	TCase *cases[] = {isolation, rest, load, NULL};

	tcase_add_test(isolation, a_callback_that_blocks_delays_no_other_domain);
	tcase_add_test(isolation, a_stuck_reader_delays_no_other_domain);
	tcase_add_test(isolation, many_callbacks_that_block_delay_no_other_domain);
	tcase_add_test(isolation, callbacks_see_no_signals_in_our_threads);
	tcase_add_loop_test(isolation, callbacks_have_the_default_policy, 0, 2);
	tcase_add_test(rest, an_idle_process_has_no_wakeups);
	tcase_add_test(rest, none_is_forgotten_as_the_domain_comes_to_rest);
	tcase_add_test(rest, two_threads_race_for_the_first_call);
	tcase_add_test(load, a_flood_behind_a_reader_needs_no_memory);
	tcase_add_test(load, the_backlog_is_never_negative);
	return run_suite("threads", cases);
}
