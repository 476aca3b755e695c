/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of <seqcount/seqcount.h>: the program, and the rules of the
 * sequence itself.  Each test runs in a process of its own.
 */
#include "test/seqcount-test.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include <seqcount/seqcount.h>

/* At file scope, as users have it. */
static seqcount_t static_seq = SEQCNT_ZERO(static_seq);

START_TEST(initialisers_agree)
{
	seqcount_t seq = {77};
	unsigned int start;

	seqcount_init(&seq);
	ck_assert_uint_eq(read_seqcount_begin(&seq), 0);
	ck_assert_uint_eq(read_seqcount_begin(&static_seq), 0);
	ck_assert(raw_seqcount_try_begin(&static_seq, start));
	ck_assert_uint_eq(start, 0);
}
END_TEST

START_TEST(size_is_32_bits)
{
	ck_assert_uint_eq(sizeof(seqcount_t), 4);
}
END_TEST

START_TEST(undisturbed_read_is_kept)
{
	seqcount_t seq = SEQCNT_ZERO(seq);
	unsigned int start = read_seqcount_begin(&seq);

	ck_assert(!read_seqcount_retry(&seq, start));
	/* Readers leave no trace: a second look says the same. */
	ck_assert(!read_seqcount_retry(&seq, start));
}
END_TEST

START_TEST(completed_write_makes_retry)
{
	seqcount_t seq = SEQCNT_ZERO(seq);
	unsigned int start = read_seqcount_begin(&seq);

	write_seqcount_begin(&seq);
	write_seqcount_end(&seq);
	ck_assert(read_seqcount_retry(&seq, start));

	start = read_seqcount_begin(&seq);
	ck_assert(!read_seqcount_retry(&seq, start));
}
END_TEST

START_TEST(write_under_way_makes_retry)
{
	seqcount_t seq = SEQCNT_ZERO(seq);
	unsigned int start = read_seqcount_begin(&seq);

	write_seqcount_begin(&seq);
	ck_assert(read_seqcount_retry(&seq, start));
	write_seqcount_end(&seq);
}
END_TEST

START_TEST(try_begin_refuses_during_a_write)
{
	seqcount_t seq = SEQCNT_ZERO(seq);
	unsigned int start;

	write_seqcount_begin(&seq);
	ck_assert(!raw_seqcount_try_begin(&seq, start));
	write_seqcount_end(&seq);

	ck_assert(raw_seqcount_try_begin(&seq, start));
	ck_assert(!read_seqcount_retry(&seq, start));
}
END_TEST

/* A macro must use its arguments once. */
START_TEST(try_begin_evaluates_once)
{
	seqcount_t seqs[2] = {SEQCNT_ZERO(seqs[0]), SEQCNT_ZERO(seqs[1])};
	seqcount_t *s = seqs;
	unsigned int starts[2] = {77, 77};
	unsigned int *start = starts;

	ck_assert(raw_seqcount_try_begin(s++, *start++));
	ck_assert_ptr_eq(s, &seqs[1]);
	ck_assert_ptr_eq(start, &starts[1]);
	ck_assert_uint_eq(starts[1], 77);
}
END_TEST

START_TEST(sequence_wraps)
{
	seqcount_t seq = {UINT_MAX - 1};
	unsigned int before = read_seqcount_begin(&seq);
	unsigned int start;

	ck_assert_uint_eq(before, UINT_MAX - 1);
	write_seqcount_begin(&seq);
	ck_assert(!raw_seqcount_try_begin(&seq, start));
	ck_assert_uint_eq(start, UINT_MAX);
	ck_assert(read_seqcount_retry(&seq, before));
	write_seqcount_end(&seq);

	ck_assert(read_seqcount_retry(&seq, before));
	start = read_seqcount_begin(&seq);
	ck_assert_uint_eq(start, 0);
	ck_assert(!read_seqcount_retry(&seq, start));
}
END_TEST

struct waiter {
	seqcount_t seq;
	uint64_t data;
	bool about_to_begin;
	bool begun;
	unsigned int start;
	uint64_t seen;
	int error;
};

static void *wait_for_the_writer(void *arg)
{
	struct waiter *w = arg;

	errno = 77;
	__atomic_store_n(&w->about_to_begin, true, __ATOMIC_RELEASE);
	w->start = read_seqcount_begin(&w->seq);
	__atomic_store_n(&w->begun, true, __ATOMIC_RELEASE);
	seqcount_load(&w->seen, &w->data, sizeof(w->seen));
	w->error = errno;
	return NULL;
}

/*
 * However late the reader arrives, a begin that does not wait would return an
 * odd value here, for the write ends only after the reader has announced itself
 * and the sequence is odd until then.  The yields give it time to arrive while
 * it still is.
 */
START_TEST(begin_waits_for_the_writer)
{
	struct waiter w = {SEQCNT_ZERO(w.seq), 0, false, false, 0, 0, 0};
	uint64_t one = 1;
	pthread_t thread;
	int i;

	write_seqcount_begin(&w.seq);
	ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_the_writer, &w), 0);
	while (!__atomic_load_n(&w.about_to_begin, __ATOMIC_ACQUIRE))
		sched_yield();
	for (i = 0; i < 100; i++) {
		ck_assert(!__atomic_load_n(&w.begun, __ATOMIC_ACQUIRE));
		sched_yield();
	}
	seqcount_store(&w.data, &one, sizeof(one));
	write_seqcount_end(&w.seq);

	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(w.start, 2);
	ck_assert_uint_eq(w.seen, 1);
	ck_assert_int_eq(w.error, 77);
}
END_TEST

TCase *seqcount_sequence_case(void)
{
	TCase *tc = tcase_create("sequence");

	tcase_add_test(tc, initialisers_agree);
	tcase_add_test(tc, size_is_32_bits);
	tcase_add_test(tc, undisturbed_read_is_kept);
	tcase_add_test(tc, completed_write_makes_retry);
	tcase_add_test(tc, write_under_way_makes_retry);
	tcase_add_test(tc, try_begin_refuses_during_a_write);
	tcase_add_test(tc, try_begin_evaluates_once);
	tcase_add_test(tc, sequence_wraps);
	tcase_add_test(tc, begin_waits_for_the_writer);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("seqcount");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, seqcount_sequence_case());
	suite_add_tcase(suite, seqcount_copy_case());
	suite_add_tcase(suite, seqcount_handler_case());
	suite_add_tcase(suite, seqcount_torn_case());
	suite_add_tcase(suite, seqcount_rules_case());
	suite_add_tcase(suite, seqcount_hunt_case());
	suite_add_tcase(suite, seqcount_lock_case());
	suite_add_tcase(suite, seqcount_latch_case());
	suite_add_tcase(suite, seqcount_seqlock_case());
	suite_add_tcase(suite, seqcount_shared_case());
	suite_add_tcase(suite, seqcount_debug_case());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
