/* SPDX-License-Identifier: MIT */
/*
 * The readers: every family, nested, overlapping, in handlers on the same
 * thread, ended in another thread, asleep inside, on the first use of a static
 * domain; after each the domain is quiescent, which cleanup_srcu_struct() says.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

DEFINE_STATIC_SRCU(static_domain);
DEFINE_SRCU(other_domain);

static struct srcu_struct domain;

static void init_domain(void)
{
	warnings_collect();
	if (forced("nomemory"))
		memcpy(&domain, &(struct srcu_struct)SRCU_STRUCT_INIT_(domain), sizeof(domain));
	else
		ck_assert_int_eq(init_srcu_struct(&domain), 0);
}

static void assert_clean(struct srcu_struct *ssp)
{
	ck_assert_int_eq(cleanup_srcu_struct(ssp), 0);
	ck_assert_uint_eq(warnings(), 0);
}

static uint64_t readers_inside(struct srcu_struct *ssp)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(ssp, &stats), 0);
	return stats.readers;
}

START_TEST(each_family_counts_one_reader)
{
	struct srcu_ctr *fast, *down_fast;
	int idx, down;

	init_domain();
	idx = srcu_read_lock(&domain);
	ck_assert_int_ge(idx, 0);
	fast = srcu_read_lock_fast(&domain);
	ck_assert_ptr_nonnull(fast);
	down = srcu_down_read(&domain);
	down_fast = srcu_down_read_fast(&domain);
	ck_assert_uint_eq(readers_inside(&domain), 4);
	srcu_up_read_fast(&domain, down_fast);
	srcu_up_read(&domain, down);
	srcu_read_unlock_fast(&domain, fast);
	srcu_read_unlock(&domain, idx);
	ck_assert_uint_eq(readers_inside(&domain), 0);
	assert_clean(&domain);
}
END_TEST

START_TEST(out_of_line_readers_are_the_same)
{
	struct srcu_ctr *fast, *inlined;
	int idx, inlined_idx;

	init_domain();
	fast = __srcu_read_lock_fast(&domain);
	inlined = srcu_read_lock_fast(&domain);
	idx = __srcu_read_lock(&domain);
	inlined_idx = srcu_read_lock(&domain);
	ck_assert_ptr_eq(fast, inlined);
	ck_assert_int_eq(idx, inlined_idx);
	/* Each ends what the other began. */
	srcu_read_unlock_fast(&domain, fast);
	__srcu_read_unlock_fast(&domain, inlined);
	srcu_read_unlock(&domain, idx);
	__srcu_read_unlock(&domain, inlined_idx);
	ck_assert_uint_eq(readers_inside(&domain), 0);
	assert_clean(&domain);
}
END_TEST

START_TEST(sections_nest_and_overlap)
{
	struct srcu_ctr *first, *second;
	int tokens[1000];

	init_domain();
	for (int i = 0; i < 1000; i++)
		tokens[i] = srcu_read_lock(&domain);
	ck_assert_uint_eq(readers_inside(&domain), 1000);
	for (int i = 0; i < 1000; i++)
		srcu_read_unlock(&domain, tokens[(i * 7) % 1000]);
	first = srcu_read_lock_fast(&domain);
	second = srcu_read_lock_fast(&domain);
	srcu_read_unlock_fast(&domain, first);
	ck_assert_uint_eq(readers_inside(&domain), 1);
	srcu_read_unlock_fast(&domain, second);
	assert_clean(&domain);
}
END_TEST

static void read_in_handler(void)
{
	struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);
	int idx = srcu_read_lock(&domain);

	srcu_read_unlock_fast(&domain, ctr);
	srcu_read_unlock(&domain, idx);
}

START_TEST(handlers_read_on_the_thread_they_interrupt)
{
	struct storm storm;

	init_domain();
	storm_start(&storm, SIGRTMIN, read_in_handler);
	for (int i = 0; i < 300000 || storm_handled() < 1000; i++) {
		int idx = srcu_read_lock(&domain);
		struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);

		srcu_read_unlock(&domain, idx);
		srcu_read_unlock_fast(&domain, ctr);
	}
	storm_stop(&storm);
	ck_assert_uint_eq(readers_inside(&domain), 0);
	assert_clean(&domain);
}
END_TEST

struct hand_over {
	int idx;
	struct srcu_ctr *ctr;
};

static void *end_sections(void *arg)
{
	struct hand_over *from = arg;

	pin_to_nth_cpu(cpus_allowed() - 1);
	srcu_up_read(&domain, from->idx);
	srcu_up_read_fast(&domain, from->ctr);
	return NULL;
}

START_TEST(another_thread_on_another_cpu_ends_a_section)
{
	init_domain();
	pin_to_nth_cpu(0);
	for (int i = 0; i < 200; i++) {
		struct hand_over over = {srcu_down_read(&domain), srcu_down_read_fast(&domain)};

		ck_assert_uint_eq(readers_inside(&domain), 2);
		thread_join(thread_start(end_sections, &over));
		ck_assert_uint_eq(readers_inside(&domain), 0);
		synchronize_srcu(&domain);
	}
	assert_clean(&domain);
}
END_TEST

struct blocked {
	int from[2];
	struct stepper stepper;
};

static void *block_inside(void *arg)
{
	struct blocked *blocked = arg;
	int idx = srcu_read_lock(&domain);
	char byte;

	step_reached(&blocked->stepper, 1);
	ck_assert_int_eq(read(blocked->from[0], &byte, 1), 1);
	srcu_read_unlock(&domain, idx);
	return NULL;
}

START_TEST(a_reader_blocks_in_a_system_call)
{
	struct blocked blocked = {.stepper = STEPPER_INIT};
	pthread_t thread;

	init_domain();
	ck_assert_int_eq(pipe(blocked.from), 0);
	thread = thread_start(block_inside, &blocked);
	step_await(&blocked.stepper, 1);
	ck_assert_uint_eq(readers_inside(&domain), 1);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), -EBUSY);
	ck_assert(warned_of("1 reader"));
	warnings_collect();
	ck_assert_int_eq(write(blocked.from[1], "", 1), 1);
	thread_join(thread);
	assert_clean(&domain);
}
END_TEST

static int handler_done, errno_in_handler;

static void first_use_in_handler(int signal)
{
	int saved_errno = errno;

	(void)signal;
	errno = E2BIG;
	srcu_read_unlock(&static_domain, srcu_read_lock(&static_domain));
	errno_in_handler = errno;
	errno = saved_errno;
	set_flag(&handler_done);
}

START_TEST(a_static_domain_is_first_used_in_a_handler)
{
	struct sigaction action = {.sa_handler = first_use_in_handler};

	warnings_collect();
	sigaction(SIGRTMIN, &action, NULL);
	raise(SIGRTMIN);
	ck_assert(flag_set(&handler_done));
	ck_assert_int_eq(errno_in_handler, E2BIG);
	ck_assert_uint_eq(readers_inside(&static_domain), 0);
	synchronize_srcu(&static_domain);
	assert_clean(&static_domain);
}
END_TEST

START_TEST(readers_keep_errno)
{
	int idx;

	errno = EDOM;
	idx = srcu_read_lock(&static_domain);
	srcu_read_unlock(&static_domain, idx);
	srcu_read_unlock_fast(&static_domain, srcu_read_lock_fast(&static_domain));
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

#define RACERS 8

static struct srcu_struct racy[200];
static pthread_barrier_t start_line;

static void *use_each_first(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < sizeof(racy) / sizeof(racy[0]); i++) {
		pthread_barrier_wait(&start_line);
		for (int k = 0; k < 10; k++)
			srcu_read_unlock(&racy[i], srcu_read_lock(&racy[i]));
	}
	return NULL;
}

START_TEST(threads_race_for_the_first_use)
{
	pthread_t threads[RACERS];

	warnings_collect();
	for (size_t i = 0; i < sizeof(racy) / sizeof(racy[0]); i++)
		memcpy(&racy[i], &(struct srcu_struct)SRCU_STRUCT_INIT_(racy), sizeof(racy[i]));
	pthread_barrier_init(&start_line, NULL, RACERS);
	for (int i = 0; i < RACERS; i++)
		threads[i] = thread_start(use_each_first, NULL);
	for (int i = 0; i < RACERS; i++)
		thread_join(threads[i]);
	for (size_t i = 0; i < sizeof(racy) / sizeof(racy[0]); i++)
		assert_clean(&racy[i]);
}
END_TEST

START_TEST(tokens_of_other_domains_are_reported)
{
	int idx, wrong[] = {-1, 0, 1, 12345, 0x7fffffff, 0};

	init_domain();
	wrong[5] = srcu_read_lock(&other_domain);
	idx = srcu_read_lock(&domain);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (wrong[i] >> 1 == idx >> 1)
			continue; /* without per-CPU memory all domains' tokens are ranks */
		warnings_collect();
		__srcu_read_unlock(&domain, wrong[i]); /* the inline one trusts its token */
		ck_assert(warned_of("the token is not one of this domain's"));
	}
	warnings_collect();
	ck_assert_uint_eq(readers_inside(&domain), 1);
	srcu_read_unlock(&domain, idx);
	srcu_read_unlock(&other_domain, wrong[5]);
	assert_clean(&domain);
	assert_clean(&other_domain);
}
END_TEST

/* A section's accesses stay inside, for pointers published with our own macros. */
static int *published;

START_TEST(pointers_are_published_and_dereferenced)
{
	int value = 7, idx;

	SRCU_INIT_POINTER(published, NULL);
	idx = srcu_read_lock(&static_domain);
	ck_assert_ptr_null(srcu_dereference(published, &static_domain));
	srcu_assign_pointer(published, &value);
	smp_mb__after_srcu_read_lock();
	ck_assert_int_eq(*srcu_dereference(published, &static_domain), 7);
	srcu_read_unlock(&static_domain, idx);
	smp_mb__after_srcu_read_unlock();
}
END_TEST

int main(void)
{
	TCase *usual = test_case("usual"), *first = test_case("first use");
	TCase *cases[] = {usual, first, NULL};

	tcase_add_test(usual, each_family_counts_one_reader);
	tcase_add_test(usual, out_of_line_readers_are_the_same);
	tcase_add_test(usual, sections_nest_and_overlap);
	tcase_add_test(usual, handlers_read_on_the_thread_they_interrupt);
	tcase_add_test(usual, another_thread_on_another_cpu_ends_a_section);
	tcase_add_test(usual, a_reader_blocks_in_a_system_call);
	tcase_add_test(usual, tokens_of_other_domains_are_reported);
	tcase_add_test(usual, pointers_are_published_and_dereferenced);
	tcase_add_test(first, a_static_domain_is_first_used_in_a_handler);
	tcase_add_test(first, readers_keep_errno);
	tcase_add_test(first, threads_race_for_the_first_use);
	return run_suite("readers", cases);
}
