/* SPDX-License-Identifier: MIT */
/*
 * Debug mode in the child of a fork: the sections of the parent are no reason for
 * a report there, and its own are watched as everywhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "messages.h"

static struct srcu_struct domain;
static struct stepper other = STEPPER_INIT;

static struct tokens {
	int idx;
	struct srcu_ctr *ctr;
} own;

AT(site_parent) static void begin_sections(struct tokens *tokens)
{
	tokens->idx = srcu_read_lock(&domain);
	tokens->ctr = srcu_read_lock_fast(&domain);
	NO_TAIL_CALL();
}

static void end_sections(const struct tokens *tokens)
{
	srcu_read_unlock_fast(&domain, tokens->ctr);
	srcu_read_unlock(&domain, tokens->idx);
}

static void *read_until_told(void *arg)
{
	struct tokens tokens;

	begin_sections(&tokens);
	step_pause(&other, 1);
	end_sections(&tokens);
	return arg;
}

static void init(bool debug)
{
	struct srcu_options options = {.name = "forked", .debug = debug};
	const struct srcu_struct fresh = SRCU_STRUCT_INIT_(forked);

	memcpy(&domain, &fresh, sizeof(domain));
	if (!forced("nomemory"))
		ck_assert_int_eq(init_srcu_struct_with(&domain, &options), 0);
	else if (debug)
		ck_assert_int_eq(srcu_debug(&domain, 0), 0);
	messages_keep();
}

static char dumped[4096];

static const char *dump(void)
{
	FILE *to = fmemopen(dumped, sizeof(dumped), "w");

	memset(dumped, 0, sizeof(dumped));
	srcu_dump(to);
	fclose(to);
	return dumped;
}

AT(site_child) static int lock_in_child(void)
{
	int idx = srcu_read_lock(&domain);

	NO_TAIL_CALL();
	return idx;
}

AT(site_unlock) static void unlock_in_child(int idx)
{
	srcu_read_unlock(&domain, idx);
	NO_TAIL_CALL();
}

static void what_it_inherited_is_not_reported(void)
{
	must(strstr(dump(), "domain 'forked'") != NULL);
	must(strstr(dumped, "0 reader(s)") != NULL);
	must(strstr(dumped, "thread ") == NULL);
	synchronize_srcu(&domain);
	end_sections(&own);
	/* Also a second time: the child does not know its parent's sections. */
	end_sections(&own);
	must(messages() == 0);
}

static void its_own_are_watched(void)
{
	struct srcu_ctr *ctr;
	int idx = lock_in_child();

	must(cleanup_srcu_struct(&domain) == -EBUSY);
	must(messages() == 1);
	must(names_thread(message(0), "1 reader(s) inside; thread ", this_thread()));
	must(NAMES_SITE(message(0), "srcu_read_lock at ", site_child));
	must(synchronize_srcu_timeout(&domain, 1) == -ETIMEDOUT);
	must(messages() == 2);
	must(NAMES_SITE(message(1), "own section, begun by srcu_read_lock at ", site_child));
	unlock_in_child(idx);
	unlock_in_child(idx);
	must(messages() == 3);
	must(strstr(message(2), "no section with this token") != NULL);
	must(NAMES_SITE(message(2), ", at ", site_unlock));
	ctr = srcu_read_lock_fast(&domain);
	srcu_read_unlock_fast(&domain, ctr);
	lock_in_child();
	srcu_read_unlock_fast(&domain, ctr);
	must(messages() == 4);
	must(NAMES_SITE(message(3), "srcu_read_lock began at ", site_child));
	must(strstr(dump(), "thread ") == NULL);
}

/* With a grandchild, whose parent has a section open. */
static void live(void *generations)
{
	int more = *(int *)generations - 1;

	what_it_inherited_is_not_reported();
	if (more) {
		begin_sections(&own);
		must(child_succeeds(CHILD_EXITS_AT_ONCE, live, &more));
		end_sections(&own);
	}
	its_own_are_watched();
	must(cleanup_srcu_struct(&domain) == 0);
	must(messages() == 4);
	must(strstr(dump(), "domain ") == NULL);
}

enum { FROM_THE_START, SECTIONS_OPEN, ENDED_TWICE, SWITCHES };

/* What debug mode does not know in the parent, it knows in the child. */
static void begin(int when)
{
	init(when == FROM_THE_START);
	if (when == ENDED_TWICE) {
		int idx = srcu_read_lock(&domain);

		srcu_read_unlock(&domain, idx);
		srcu_read_unlock(&domain, idx);
		ck_assert_int_eq(srcu_debug(&domain, 0), 0);
	}
	begin_sections(&own);
	if (when == SECTIONS_OPEN)
		ck_assert_int_eq(srcu_debug(&domain, 0), 0);
}

static void end(int when)
{
	if (when == ENDED_TWICE)
		srcu_read_lock(&domain);
	end_sections(&own);
	ck_assert_uint_eq(messages(), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}

START_TEST(children_have_their_own_sections_only)
{
	enum child_kind kind = (enum child_kind)(_i / SWITCHES);
	int when = _i % SWITCHES, generations = 2;
	pthread_t thread;

	/* In debug mode by the environment, ending twice is reported. */
	if (!child_possible(kind) || (when == ENDED_TWICE && getenv("SRCU_DEBUG")))
		return;
	begin(when);
	thread = thread_start(read_until_told, NULL);
	step_await(&other, 1);
	ck_assert(child_succeeds(kind, live, &generations));
	step_allow(&other, 1);
	thread_join(thread);
	end(when);
}
END_TEST

static void find_a_record(void *arg)
{
	(void)arg;
	/* By which a child that was made without handlers is known. */
	get_state_synchronize_srcu(&domain);
	lock_in_child();
	must(strstr(dump(), "\n  thread ") != NULL);
}

START_TEST(children_have_all_records)
{
	if (!child_possible((enum child_kind)_i))
		return;
	init(true);
	for (int i = 0; i < SRCU_DEBUG_SECTIONS; i++)
		srcu_read_lock(&domain);
	ck_assert(child_succeeds((enum child_kind)_i, find_a_record, NULL));
}
END_TEST

static struct stepper dumping = STEPPER_INIT;

static ssize_t write_slowly(void *cookie, const char *text, size_t size)
{
	(void)cookie;
	(void)text;
	step_pause(&dumping, 1);
	return (ssize_t)size;
}

static void *dump_slowly(void *arg)
{
	FILE *to = fopencookie(NULL, "w", (cookie_io_functions_t){.write = write_slowly});

	setvbuf(to, NULL, _IONBF, 0);
	srcu_dump(to);
	fclose(to);
	return arg;
}

static void dump_and_clean_up(void *arg)
{
	(void)arg;
	must(strstr(dump(), "domain 'forked'") != NULL);
	must(cleanup_srcu_struct(&domain) == 0);
}

START_TEST(a_dump_under_way_does_not_hold_a_child_up)
{
	pthread_t thread;

	if (!child_possible((enum child_kind)_i))
		return;
	init(true);
	thread = thread_start(dump_slowly, NULL);
	step_await(&dumping, 1);
	ck_assert(child_succeeds((enum child_kind)_i, dump_and_clean_up, NULL));
	step_allow(&dumping, 1);
	thread_join(thread);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

int main(void)
{
	TCase *children = test_case("children");
	TCase *cases[] = {children, NULL};

	tcase_add_loop_test(
		children, children_have_their_own_sections_only, 0, SWITCHES * CHILD_KINDS);
	tcase_add_loop_test(children, children_have_all_records, 0, CHILD_KINDS);
	tcase_add_loop_test(children, a_dump_under_way_does_not_hold_a_child_up, 0, CHILD_KINDS);
	return run_suite("debug mode: fork", cases);
}
