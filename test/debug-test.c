/* SPDX-License-Identifier: MIT */
/*
 * Debug mode: each misuse is reported, with the domain, the thread and the call
 * site, and what is no misuse is not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"

#define LIMIT_MS 1

static struct srcu_struct domain, other;
DEFINE_STATIC_SRCU(plain);

/* Without per-CPU memory only a static domain can be had. */
static void init(void)
{
	struct srcu_options options = {.name = "watched", .debug = true};

	if (forced("nomemory")) {
		memcpy(&domain, &(struct srcu_struct)SRCU_STRUCT_INIT_(watched), sizeof(domain));
		ck_assert_int_eq(srcu_debug(&domain, 0), 0);
	} else {
		ck_assert_int_eq(init_srcu_struct_with(&domain, &options), 0);
	}
	messages_keep();
}

static void assert_clean(void)
{
	unsigned int before = messages();

	synchronize_srcu(&domain);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(messages(), before);
}

/* The one report there is: about the domain, and what its caller did. */
#define ASSERT_REPORTED(what, site)                                                     \
	do {                                                                            \
		ck_assert_uint_eq(messages(), 1);                                       \
		ck_assert_ptr_nonnull(strstr(message(0), "domain 'watched': "));        \
		ck_assert_ptr_nonnull(strstr(message(0), what));                        \
		ck_assert(names_thread(message(0), "(thread ", this_thread()));         \
		ck_assert_msg(NAMES_SITE(message(0), ", at ", site), "%s", message(0)); \
	} while (0)

AT(site_lock) static int lock_here(void)
{
	int idx = srcu_read_lock(&domain);

	NO_TAIL_CALL();
	return idx;
}

AT(site_lock_fast) static struct srcu_ctr *lock_fast_here(void)
{
	struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);

	NO_TAIL_CALL();
	return ctr;
}

AT(site_unlock) static void unlock_here(int idx)
{
	srcu_read_unlock(&domain, idx);
	NO_TAIL_CALL();
}

AT(site_unlock_fast) static void unlock_fast_here(struct srcu_ctr *ctr)
{
	srcu_read_unlock_fast(&domain, ctr);
	NO_TAIL_CALL();
}

static void nothing(struct srcu_head *head)
{
	(void)head;
}

AT(site_wait) static void wait_here(int how)
{
	static struct srcu_head head;

	switch (how) {
	case 0:
		synchronize_srcu(&domain);
		break;
	case 1:
		synchronize_srcu_expedited(&domain);
		break;
	case 2:
		cond_synchronize_srcu(&domain, get_state_synchronize_srcu(&domain));
		break;
	case 3:
		ck_assert_int_eq(synchronize_srcu_timeout(&domain, UINT64_MAX), 0);
		break;
	case 4:
		call_srcu(&domain, &head, nothing);
		ck_assert_int_eq(srcu_barrier(&domain), 0);
		break;
	}
	NO_TAIL_CALL();
}

static const char *const waits[] = {"synchronize_srcu: ", "synchronize_srcu_expedited: ",
	"cond_synchronize_srcu: ", "synchronize_srcu_timeout: ", "srcu_barrier: "};

struct waiter {
	int how, idx, thread;
};

static void *wait_inside(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->thread, this_thread(), __ATOMIC_RELEASE);
	waiter->idx = lock_here();
	wait_here(waiter->how);
	return NULL;
}

START_TEST(waiting_inside_is_reported_before_it_hangs)
{
	struct waiter waiter = {.how = _i};
	pthread_t thread;

	init();
	thread = thread_start(wait_inside, &waiter);
	await_messages(1);
	/* Without this the thread would hang. */
	srcu_read_unlock(&domain, waiter.idx);
	thread_join(thread);
	ck_assert_uint_eq(messages(), 1);
	ck_assert_ptr_eq(strstr(message(0), "domain 'watched': "), message(0));
	ck_assert_ptr_nonnull(strstr(message(0), waits[_i]));
	ck_assert(NAMES_SITE(message(0), "begun by srcu_read_lock at ", site_lock));
	ck_assert(names_thread(message(0), "(thread ", waiter.thread));
	ck_assert(NAMES_SITE(message(0), ", at ", site_wait));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean();
}
END_TEST

START_TEST(waiting_for_what_another_thread_will_end_is_legal)
{
	struct srcu_ctr *ctr;
	int idx;

	init();
	idx = srcu_down_read(&domain);
	ctr = srcu_down_read_fast(&domain);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 1000), -ETIMEDOUT);
	srcu_up_read(&domain, idx);
	srcu_up_read_fast(&domain, ctr);
	/* To look is not to wait. */
	idx = srcu_read_lock(&domain);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
	srcu_read_unlock(&domain, idx);
	ck_assert_uint_eq(messages(), 0);
	assert_clean();
}
END_TEST

START_TEST(a_second_unlock_is_reported_and_not_counted)
{
	struct srcu_stats stats;
	int idx;

	init();
	idx = lock_here();
	unlock_here(idx);
	ck_assert_uint_eq(messages(), 0);
	errno = EDOM;
	unlock_here(idx);
	ck_assert_int_eq(errno, EDOM);
	ASSERT_REPORTED("srcu_read_unlock: no section with this token", site_unlock);
	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	ck_assert_uint_eq(stats.readers, 0);
	assert_clean();
}
END_TEST

START_TEST(a_second_fast_unlock_is_reported_and_not_counted)
{
	struct srcu_ctr *ctr;

	init();
	ctr = lock_fast_here();
	unlock_fast_here(ctr);
	unlock_fast_here(ctr);
	ASSERT_REPORTED("srcu_read_unlock_fast: no section with this token", site_unlock_fast);
	assert_clean();
}
END_TEST

START_TEST(a_foreign_token_is_reported)
{
	int idx, foreign;

	if (forced("nomemory"))
		return; /* all domains have the same tokens */
	init();
	ck_assert_int_eq(init_srcu_struct(&other), 0);
	foreign = srcu_read_lock(&other);
	idx = lock_here();
	unlock_here(foreign); /* inline: in debug mode it does not trust its token */
	ASSERT_REPORTED("srcu_read_unlock: the token is not one of this domain's", site_unlock);
	unlock_here(idx);
	srcu_read_unlock(&other, foreign);
	assert_clean();
	ck_assert_int_eq(cleanup_srcu_struct(&other), 0);
}
END_TEST

START_TEST(use_before_init_is_reported)
{
	char named[40];

	/* It has no name yet. */
	snprintf(named, sizeof(named), "domain %p: ", (void *)&domain);
	memset(&domain, 0, sizeof(domain));
	messages_keep();
	lock_here();
	ck_assert_uint_eq(messages(), 1);
	ck_assert_ptr_eq(strstr(message(0), named), message(0));
	ck_assert_ptr_nonnull(strstr(message(0), "srcu_read_lock: the domain was never init"));
	ck_assert(names_thread(message(0), "(thread ", this_thread()));
	ck_assert(NAMES_SITE(message(0), ", at ", site_lock));
	messages_keep();
	wait_here(0);
	ck_assert_ptr_nonnull(strstr(message(0), "synchronize_srcu: the domain was never init"));
	ck_assert(NAMES_SITE(message(0), ", at ", site_wait));
}
END_TEST

START_TEST(use_after_cleanup_is_reported)
{
	init();
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	lock_fast_here();
	ASSERT_REPORTED("srcu_read_lock_fast: the domain was cleaned up", site_lock_fast);
	messages_keep();
	wait_here(1);
	ASSERT_REPORTED("synchronize_srcu_expedited: the domain was cleaned up", site_wait);
}
END_TEST

AT(site_cleanup) static void clean_up_here(void)
{
	ck_assert_int_eq(cleanup_srcu_struct(&domain), -EBUSY);
	NO_TAIL_CALL();
}

START_TEST(leaked_readers_are_named_at_cleanup)
{
	int idx;

	init();
	idx = lock_here();
	clean_up_here();
	ASSERT_REPORTED("cleanup_srcu_struct: 1 reader(s) inside", site_cleanup);
	ck_assert(names_thread(message(0), "inside; thread ", this_thread()));
	ck_assert(NAMES_SITE(message(0), "srcu_read_lock at ", site_lock));
	unlock_here(idx);
	assert_clean();
}
END_TEST

struct holder {
	struct stepper stepper;
	int idx, thread;
};

static void *hold(void *arg)
{
	struct holder *holder = arg;

	holder->idx = lock_here();
	holder->thread = this_thread();
	step_pause(&holder->stepper, 1);
	unlock_here(holder->idx);
	return NULL;
}

static void *synchronize(void *arg)
{
	synchronize_srcu(&domain);
	return arg;
}

static void assert_names_holder(const char *before, const char *after, int thread)
{
	char gone[80];

	ck_assert_ptr_nonnull(strstr(message(0), "domain 'watched': grace period "));
	ck_assert_ptr_nonnull(strstr(message(0), " has waited "));
	ck_assert(names_thread(message(0), before, thread));
	ck_assert(NAMES_SITE(message(0), "srcu_read_lock at ", site_lock));
	snprintf(gone, sizeof(gone), "thread %d%s for ", thread, after);
	ck_assert_msg(strstr(message(0), gone) != NULL, "%s", message(0));
}

START_TEST(a_long_holder_is_named_by_who_waits)
{
	struct holder holder = {.stepper = STEPPER_INIT};
	pthread_t thread, waiter;

	init();
	ck_assert_int_eq(srcu_debug(&domain, LIMIT_MS), 0);
	thread = thread_start(hold, &holder);
	step_await(&holder.stepper, 1);
	waiter = thread_start(synchronize, NULL);
	await_messages(1);
	step_allow(&holder.stepper, 1);
	thread_join(thread);
	thread_join(waiter);
	assert_names_holder("1 reader(s) inside; thread ", "", holder.thread);
	ck_assert_ptr_nonnull(strstr(message(0), ", limit 0.001 s; rank "));
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

static void *leave_inside(void *arg)
{
	struct holder *holder = arg;

	holder->idx = lock_here();
	holder->thread = this_thread();
	return NULL;
}

START_TEST(a_thread_that_exited_inside_is_named)
{
	struct holder holder;
	pthread_t waiter;

	init();
	ck_assert_int_eq(srcu_debug(&domain, LIMIT_MS), 0);
	thread_join(thread_start(leave_inside, &holder));
	waiter = thread_start(synchronize, NULL);
	await_messages(1);
	srcu_read_unlock(&domain, holder.idx);
	thread_join(waiter);
	assert_names_holder("1 reader(s) inside; thread ", ", which has exited,", holder.thread);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

START_TEST(mixed_families_are_reported)
{
	struct srcu_ctr *ctr;
	int idx;

	init();
	ctr = lock_fast_here();
	unlock_fast_here(ctr);
	idx = lock_here();
	unlock_fast_here(ctr);
	ASSERT_REPORTED("srcu_read_unlock_fast: ends the section that srcu_read_lock began at ",
		site_unlock_fast);
	ck_assert(NAMES_SITE(message(0), "began at ", site_lock));
	messages_keep();
	unlock_here(idx);
	ASSERT_REPORTED("srcu_read_unlock: no section with this token", site_unlock);
	assert_clean();
}
END_TEST

START_TEST(both_families_side_by_side_are_legal)
{
	struct srcu_ctr *ctr;
	int idx;

	init();
	for (int i = 0; i < 10; i++) {
		idx = lock_here();
		ctr = lock_fast_here();
		unlock_here(idx);
		unlock_fast_here(ctr);
	}
	ck_assert_uint_eq(messages(), 0);
	assert_clean();
}
END_TEST

static char dumped[4096];

static const char *dump(void)
{
	FILE *to = fmemopen(dumped, sizeof(dumped), "w");

	ck_assert_ptr_nonnull(to);
	memset(dumped, 0, sizeof(dumped));
	srcu_dump(to);
	fclose(to);
	return dumped;
}

/* Never cleaned up, as a domain in memory that was freed. */
START_TEST(sections_of_a_domain_before_are_not_those_of_the_next)
{
	if (forced("nomemory"))
		return; /* there is nothing to tell them apart by */
	init();
	lock_here();
	init();
	wait_here(0);
	ck_assert_uint_eq(messages(), 0);
	assert_clean();
}
END_TEST

START_TEST(a_thread_is_told_whether_it_is_inside)
{
	struct srcu_ctr *ctr;
	int idx;

	init();
	ck_assert_int_eq(srcu_read_lock_held(&domain), 0);
	idx = srcu_down_read(&domain);
	ck_assert_int_eq(srcu_read_lock_held(&domain), 0);
	ctr = srcu_read_lock_fast(&domain);
	ck_assert_int_eq(srcu_read_lock_held(&domain), 1);
	/* Of a domain that is not in debug mode it is not known. */
	ck_assert_int_eq(srcu_read_lock_held(&plain), 1);
	srcu_read_unlock_fast(&domain, ctr);
	ck_assert_int_eq(srcu_read_lock_held(&domain), 0);
	srcu_up_read(&domain, idx);
	ck_assert_int_eq(srcu_read_lock_held(NULL), 1);
	assert_clean();
}
END_TEST

START_TEST(a_dump_shows_domains_and_sections)
{
	char expected[80];
	int idx;

	init();
	idx = lock_here();
	ck_assert_ptr_nonnull(strstr(dump(), "domain 'watched'"));
	ck_assert_ptr_nonnull(strstr(dumped, "1 reader(s)"));
	snprintf(expected, sizeof(expected), "\n  thread %d for ", this_thread());
	ck_assert_ptr_nonnull(strstr(dumped, expected));
	ck_assert(NAMES_SITE(dumped, "srcu_read_lock at ", site_lock));
	unlock_here(idx);
	assert_clean();
	ck_assert_ptr_null(strstr(dump(), "domain "));
}
END_TEST

/* The same memory is another domain then. */
START_TEST(a_dump_forgets_what_was_cleaned_up)
{
	struct srcu_struct next = SRCU_STRUCT_INIT_(next);

	if (getenv("SRCU_DEBUG"))
		return;
	init();
	assert_clean();
	memcpy(&domain, &next, sizeof(domain));
	unlock_here(lock_here());
	ck_assert_ptr_null(strstr(dump(), "domain "));
	assert_clean();
}
END_TEST

int main(void)
{
	TCase *misuse = test_case("misuse"), *waiting = test_case("waiting");
	TCase *cases[] = {misuse, waiting, NULL};

	tcase_add_loop_test(waiting, waiting_inside_is_reported_before_it_hangs, 0,
		(int)(sizeof(waits) / sizeof(waits[0])));
	tcase_add_test(waiting, waiting_for_what_another_thread_will_end_is_legal);
	tcase_add_test(waiting, a_long_holder_is_named_by_who_waits);
	tcase_add_test(waiting, a_thread_that_exited_inside_is_named);
	tcase_add_test(misuse, a_second_unlock_is_reported_and_not_counted);
	tcase_add_test(misuse, a_second_fast_unlock_is_reported_and_not_counted);
	tcase_add_test(misuse, a_foreign_token_is_reported);
	tcase_add_test(misuse, use_before_init_is_reported);
	tcase_add_test(misuse, use_after_cleanup_is_reported);
	tcase_add_test(misuse, leaked_readers_are_named_at_cleanup);
	tcase_add_test(misuse, mixed_families_are_reported);
	tcase_add_test(misuse, both_families_side_by_side_are_legal);
	tcase_add_test(misuse, sections_of_a_domain_before_are_not_those_of_the_next);
	tcase_add_test(misuse, a_thread_is_told_whether_it_is_inside);
	tcase_add_test(misuse, a_dump_shows_domains_and_sections);
	tcase_add_test(misuse, a_dump_forgets_what_was_cleaned_up);
	return run_suite("debug mode: misuse", cases);
}
