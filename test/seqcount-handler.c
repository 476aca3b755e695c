/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of reading in a signal handler that may have interrupted the
 * writer: raw_seqcount_try_begin() says no instead of waiting for ever, and
 * what it lets through is whole.
 */
#include "test/seqcount-signals.h"
#include "test/seqcount-test.h"

#include <signal.h>
#include <stdint.h>

#include <seqcount/seqcount.h>

#define TRIES 3

static seqcount_t seq = SEQCNT_ZERO(seq);
static struct record shared;

/* What handlers have met: written by handlers, read by anyone. */
static unsigned int refused;
static unsigned int kept;

static bool read_bounded(struct record *copy)
{
	unsigned int start;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (!raw_seqcount_try_begin(&seq, start))
			continue;
		seqcount_load(copy, &shared, sizeof(*copy));
		if (!read_seqcount_retry(&seq, start))
			return true;
	}
	return false;
}

static void handler(int sig)
{
	struct record copy;

	(void)sig;
	if (!read_bounded(&copy)) {
		count(&refused);
	} else {
		count_torn(&copy);
		count(&kept);
	}
	count_handled();
}

/* A signal after every word: the handler finds the record in every state. */
static void write_with_signals(uint64_t v)
{
	int i;

	write_seqcount_begin(&seq);
	raise(SIGUSR1);
	for (i = 0; i < WORDS; i++) {
		seqcount_store(&shared.word[i], &v, sizeof(v));
		raise(SIGUSR1);
	}
	write_seqcount_end(&seq);
}

START_TEST(handler_inside_the_write_is_refused)
{
	uint64_t v;

	install_handler(handler);
	for (v = 1; v <= 100; v++) {
		write_with_signals(v);
		ck_assert_uint_eq(value(&refused), v * (WORDS + 1));
		ck_assert_uint_eq(value(&kept), v - 1);
		raise(SIGUSR1);
		ck_assert_uint_eq(value(&kept), v);
	}
	ck_assert_uint_eq(value(&torn), 0);
}
END_TEST

/* The same without the counter: the handler must notice that records are torn. */
START_TEST(unannounced_write_is_caught)
{
	const uint64_t v = 1;

	install_handler(handler);
	seqcount_store(&shared.word[0], &v, sizeof(v));
	raise(SIGUSR1);
	ck_assert_uint_eq(value(&kept), 1);
	ck_assert_uint_ne(value(&torn), 0);
}
END_TEST

static void write_record(const struct record *r)
{
	write_seqcount_begin(&seq);
	seqcount_store(&shared, r, sizeof(*r));
	write_seqcount_end(&seq);
}

START_TEST(storm_of_signals_on_the_writer)
{
	install_handler(handler);
	storm(write_record);
	ck_assert_uint_eq(value(&kept) + value(&refused), SIGNALS);
	ck_assert_uint_ne(value(&kept), 0);
	ck_assert_uint_eq(value(&torn), 0);
}
END_TEST

TCase *seqcount_handler_case(void)
{
	TCase *tc = tcase_create("handler");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, handler_inside_the_write_is_refused);
	tcase_add_test(tc, unannounced_write_is_caught);
	tcase_add_test(tc, storm_of_signals_on_the_writer);
	return tc;
}
