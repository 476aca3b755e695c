/* SPDX-License-Identifier: MIT */
/*
 * Debug mode under load: sections without misuse, however they come and go and
 * whenever the mode is switched on, cause no report and leave no record.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "messages.h"

static struct srcu_struct domain;

/* Without per-CPU memory only a static domain can be had. */
static void init(bool debug)
{
	struct srcu_options options = {.name = "busy", .debug = debug};

	messages_keep();
	if (!forced("nomemory")) {
		ck_assert_int_eq(init_srcu_struct_with(&domain, &options), 0);
		return;
	}
	memcpy(&domain, &(struct srcu_struct)SRCU_STRUCT_INIT_(busy), sizeof(domain));
	if (debug)
		ck_assert_int_eq(srcu_debug(&domain, 0), 0);
}

static unsigned int records(void)
{
	static char text[1 << 20];
	FILE *to = fmemopen(text, sizeof(text), "w");
	unsigned int count = 0;

	srcu_dump(to);
	fclose(to);
	for (const char *at = text; (at = strstr(at, "\n  thread ")); at++)
		count++;
	return count;
}

/* No reports so far, nothing left; and that a section too many would not go unnoticed. */
static void assert_exact(void)
{
	int idx;

	ck_assert_msg(messages() == 0, "%u messages, first: %s", messages(),
		messages() ? message(0) : "");
	ck_assert_uint_eq(records(), 0);
	idx = srcu_read_lock(&domain);
	ck_assert_uint_eq(records(), 1);
	srcu_read_unlock(&domain, idx);
	srcu_read_unlock(&domain, idx);
	ck_assert_uint_eq(messages(), 1);
	synchronize_srcu(&domain);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}

#define READERS  4
#define SECTIONS 25000

static void *read_nested(void *arg)
{
	for (int i = 0; i < SECTIONS; i++) {
		int idx = srcu_read_lock(&domain);
		struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);

		srcu_read_unlock(&domain, idx);
		srcu_read_unlock_fast(&domain, ctr);
	}
	return arg;
}

START_TEST(sections_leave_no_record)
{
	pthread_t threads[READERS];

	init(true);
	for (int i = 0; i < READERS; i++)
		threads[i] = thread_start(read_nested, NULL);
	for (int i = 0; i < 20; i++)
		synchronize_srcu(&domain);
	for (int i = 0; i < READERS; i++)
		thread_join(threads[i]);
	assert_exact();
}
END_TEST

START_TEST(sections_under_way_at_the_switch_are_legal)
{
	struct srcu_ctr *ctr;
	int idx[4];

	init(false);
	for (int i = 0; i < 4; i++)
		idx[i] = srcu_read_lock(&domain);
	ctr = srcu_read_lock_fast(&domain);
	ck_assert_int_eq(srcu_debug(&domain, 0), 0);
	srcu_read_unlock(&domain, idx[0]);
	/* A new one may have the same token; which of them ends first is not known. */
	idx[0] = srcu_read_lock(&domain);
	for (int i = 0; i < 4; i++)
		srcu_read_unlock(&domain, idx[i]);
	srcu_read_unlock_fast(&domain, ctr);
	assert_exact();
}
END_TEST

static int over;

static void *read_until_over(void *arg)
{
	while (!flag_set(&over)) {
		int idx = srcu_read_lock(&domain);
		struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);

		srcu_read_unlock(&domain, idx);
		srcu_read_unlock_fast(&domain, ctr);
		__atomic_fetch_add((uint64_t *)arg, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *switch_on(void *arg)
{
	ck_assert_int_eq(srcu_debug(&domain, 0), 0);
	return arg;
}

static void await_progress(uint64_t *progress, uint64_t more)
{
	uint64_t target = __atomic_load_n(progress, __ATOMIC_RELAXED) + more;

	while (__atomic_load_n(progress, __ATOMIC_RELAXED) < target)
		sched_yield();
}

START_TEST(the_mode_is_switched_on_under_load)
{
	uint64_t progress = 0;

	for (int round = 0; round < 20; round++) {
		pthread_t readers[READERS], switchers[2];

		init(false);
		over = 0;
		for (int i = 0; i < READERS; i++)
			readers[i] = thread_start(read_until_over, &progress);
		await_progress(&progress, 1000);
		for (int i = 0; i < 2; i++)
			switchers[i] = thread_start(switch_on, NULL);
		for (int i = 0; i < 2; i++)
			thread_join(switchers[i]);
		synchronize_srcu(&domain);
		await_progress(&progress, 1000);
		set_flag(&over);
		for (int i = 0; i < READERS; i++)
			thread_join(readers[i]);
		ck_assert_msg(messages() == 0, "%s", messages() ? message(0) : "");
		ck_assert_uint_eq(records(), 0);
		ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	}
}
END_TEST

static void read_in_handler(void)
{
	int idx = srcu_read_lock(&domain);

	srcu_read_unlock_fast(&domain, srcu_read_lock_fast(&domain));
	srcu_read_unlock(&domain, idx);
}

START_TEST(handlers_read_in_debug_mode)
{
	struct storm storm;

	init(true);
	storm_start(&storm, SIGRTMIN, read_in_handler);
	for (int i = 0; i < 100000 || storm_handled() < 1000; i++) {
		int idx = srcu_read_lock(&domain);
		struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);

		srcu_read_unlock(&domain, idx);
		srcu_read_unlock_fast(&domain, ctr);
	}
	storm_stop(&storm);
	assert_exact();
}
END_TEST

static void *up(void *arg)
{
	const int *tokens = arg;

	for (int i = 0; i < 100; i++)
		srcu_up_read(&domain, tokens[i]);
	return NULL;
}

START_TEST(other_threads_end_sections)
{
	init(true);
	for (int round = 0; round < 20; round++) {
		int tokens[2][100];
		pthread_t threads[2];

		for (int i = 0; i < 200; i++)
			tokens[i / 100][i % 100] = srcu_down_read(&domain);
		for (int i = 0; i < 2; i++)
			threads[i] = thread_start(up, tokens[i]);
		for (int i = 0; i < 2; i++)
			thread_join(threads[i]);
	}
	assert_exact();
}
END_TEST

#define MANY (SRCU_DEBUG_SECTIONS + 500)

START_TEST(sections_beyond_the_records_are_legal)
{
	int *tokens = malloc(MANY * sizeof(*tokens));

	ck_assert_ptr_nonnull(tokens);
	init(true);
	for (int i = 0; i < MANY; i++)
		tokens[i] = srcu_read_lock(&domain);
	ck_assert_uint_eq(records(), SRCU_DEBUG_SECTIONS);
	for (int i = 0; i < MANY; i++)
		srcu_read_unlock(&domain, tokens[i]);
	free(tokens);
	assert_exact();
}
END_TEST

START_TEST(the_environment_switches_it_on)
{
	DEFINE_SRCU(by_environment);
	int idx;

	ck_assert_int_eq(setenv("SRCU_DEBUG", "limit=1", 1), 0);
	messages_keep();
	idx = srcu_read_lock(&by_environment);
	ck_assert_uint_eq(records(), 1);
	ck_assert_int_eq(synchronize_srcu_timeout(&by_environment, 1000), -ETIMEDOUT);
	ck_assert_ptr_nonnull(strstr(message(0), "domain 'by_environment': "));
	/* The limit: whoever polls reports. */
	while (!strstr(message(messages() - 1), " has waited "))
		poll_state_synchronize_srcu(
			&by_environment, start_poll_synchronize_srcu(&by_environment));
	srcu_read_unlock(&by_environment, idx);
	synchronize_srcu(&by_environment);
	ck_assert_int_eq(cleanup_srcu_struct(&by_environment), 0);
}
END_TEST

/* What is behind "limit=", and the limit that it makes; BAD: it is reported. */
#define BAD UINT64_MAX

static const struct {
	const char *text;
	uint64_t limit_ms;
} limits[] = {
	{"", BAD},
	{"soon", BAD},
	{"5x", BAD},
	{"-1", BAD},
	{" 5", BAD},
	{"4294967296", BAD},
	{"99999999999999999999", BAD},
	{"0", 0},
	{"007", 7},
	{"4294967295", 4294967295},
};

START_TEST(a_limit_that_is_none_is_reported)
{
	DEFINE_SRCU(by_environment);
	bool bad = limits[_i].limit_ms == BAD;
	char setting[64], expected[64];

	snprintf(setting, sizeof(setting), "limit=%s", limits[_i].text);
	snprintf(expected, sizeof(expected), "SRCU_DEBUG: limit='%s' is not ", limits[_i].text);
	ck_assert_int_eq(setenv("SRCU_DEBUG", setting, 1), 0);
	messages_keep();
	srcu_read_unlock(&by_environment, srcu_read_lock(&by_environment));
	ck_assert_uint_eq(messages(), bad);
	ck_assert(!bad || strstr(message(0), expected));
	/* Debug mode is on all the same. */
	ck_assert_uint_eq(by_environment.limit_ms_, bad ? 0 : limits[_i].limit_ms);
	srcu_read_unlock(&by_environment, 0);
	ck_assert_uint_eq(messages(), bad + 1u);
	ck_assert_int_eq(cleanup_srcu_struct(&by_environment), 0);
}
END_TEST

START_TEST(a_value_that_is_none_is_reported)
{
	DEFINE_SRCU(by_environment);

	ck_assert_int_eq(setenv("SRCU_DEBUG", "yes", 1), 0);
	messages_keep();
	srcu_read_unlock(&by_environment, srcu_read_lock(&by_environment));
	ck_assert_uint_eq(messages(), 1);
	ck_assert_ptr_nonnull(strstr(message(0), "SRCU_DEBUG: 'yes' is not "));
	/* Debug mode is on all the same. */
	srcu_read_unlock(&by_environment, 0);
	ck_assert_uint_eq(messages(), 2);
	ck_assert_int_eq(cleanup_srcu_struct(&by_environment), 0);
}
END_TEST

START_TEST(a_child_may_end_what_it_inherited)
{
	int idx, status;
	pid_t pid;

	init(true);
	idx = srcu_read_lock(&domain);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		srcu_read_unlock(&domain, idx);
		_exit((int)messages());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	srcu_read_unlock(&domain, idx);
	assert_exact();
}
END_TEST

/* The youngest has the record that was the first, where it is met before the others. */
START_TEST(the_three_oldest_sections_are_named)
{
	const char *first, *second, *third;
	struct srcu_ctr *fast, *down_fast;
	int gone, down, youngest;

	init(true);
	gone = srcu_read_lock(&domain);
	fast = srcu_read_lock_fast(&domain);
	down = srcu_down_read(&domain);
	down_fast = srcu_down_read_fast(&domain);
	srcu_read_unlock(&domain, gone);
	youngest = srcu_read_lock(&domain);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), -EBUSY);
	ck_assert_uint_eq(messages(), 1);
	first = strstr(message(0), "srcu_read_lock_fast at");
	second = strstr(message(0), "srcu_down_read at");
	third = strstr(message(0), "srcu_down_read_fast at");
	ck_assert_msg(first && second > first && third > second, "%s", message(0));
	ck_assert_ptr_null(strstr(message(0), "srcu_read_lock at"));
	srcu_read_unlock(&domain, youngest);
	srcu_up_read_fast(&domain, down_fast);
	srcu_up_read(&domain, down);
	srcu_read_unlock_fast(&domain, fast);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

START_TEST(a_domain_that_cannot_be_used_cannot_be_switched)
{
	memset(&domain, 0, sizeof(domain));
	messages_keep();
	ck_assert_int_eq(srcu_debug(NULL, 0), -EINVAL);
	ck_assert_int_eq(srcu_debug(&domain, 0), -EINVAL);
	ck_assert_uint_eq(messages(), 2);
}
END_TEST

int main(void)
{
	TCase *load = test_case("load");
	TCase *cases[] = {load, NULL};

	tcase_add_test(load, sections_leave_no_record);
	tcase_add_test(load, sections_under_way_at_the_switch_are_legal);
	tcase_add_test(load, the_mode_is_switched_on_under_load);
	tcase_add_test(load, handlers_read_in_debug_mode);
	tcase_add_test(load, other_threads_end_sections);
	tcase_add_test(load, sections_beyond_the_records_are_legal);
	tcase_add_test(load, the_environment_switches_it_on);
	tcase_add_loop_test(load, a_limit_that_is_none_is_reported, 0,
		(int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_test(load, a_value_that_is_none_is_reported);
	tcase_add_test(load, a_child_may_end_what_it_inherited);
	tcase_add_test(load, the_three_oldest_sections_are_named);
	tcase_add_test(load, a_domain_that_cannot_be_used_cannot_be_switched);
	return run_suite("debug mode: load", cases);
}
