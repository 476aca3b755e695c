/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of latches: a reader in a handler that has interrupted the writer gets
 * a whole record in its first pass, wherever the writer is.
 */
#include "test/seqcount-signals.h"
#include "test/seqcount-test.h"

#include <signal.h>

#include <seqcount/latch.h>

static seqcount_latch_t latch = SEQCNT_LATCH_ZERO(latch);
static struct record copies[2];

/* What handlers have met. */
static unsigned int passes;
static uint64_t latest;

static void handler(int sig)
{
	struct record copy;
	unsigned int seq;

	(void)sig;
	do {
		seq = read_seqcount_latch(&latch);
		seqcount_load(&copy, &copies[seq & 1], sizeof(copy));
		count(&passes);
	} while (read_seqcount_latch_retry(&latch, seq));
	count_torn(&copy);
	__atomic_store_n(&latest, copy.word[0], __ATOMIC_RELAXED);
	count_handled();
}

static uint64_t value_read_now(void)
{
	raise(SIGUSR1);
	return __atomic_load_n(&latest, __ATOMIC_RELAXED);
}

/* A signal at every step: old as long as copy 0 is not whole, then new. */
static void write_with_signals(uint64_t v)
{
	int i;

	ck_assert_uint_eq(value_read_now(), v - 1);
	write_seqcount_latch_begin(&latch);
	for (i = 0; i < WORDS; i++) {
		ck_assert_uint_eq(value_read_now(), v - 1);
		seqcount_set(copies[0].word[i], v);
	}
	ck_assert_uint_eq(value_read_now(), v - 1);
	write_seqcount_latch(&latch);
	for (i = 0; i < WORDS; i++) {
		ck_assert_uint_eq(value_read_now(), v);
		seqcount_set(copies[1].word[i], v);
	}
	ck_assert_uint_eq(value_read_now(), v);
	write_seqcount_latch_end(&latch);
}

START_TEST(handler_at_every_step)
{
	uint64_t v;

	install_handler(handler);
	/* The sequence wraps on the way. */
	latch.seqcount_.sequence_ = UINT32_MAX - 99;
	for (v = 1; v <= 100; v++)
		write_with_signals(v);
	ck_assert_uint_eq(latch.seqcount_.sequence_, 100);
	ck_assert_uint_eq(value(&torn), 0);
	ck_assert_uint_eq(value(&passes), value(&handled));
}
END_TEST

/* A copy is changed while readers are sent to it: the handler must notice. */
START_TEST(change_without_the_latch_is_caught)
{
	install_handler(handler);
	seqcount_set(copies[0].word[0], 1);
	raise(SIGUSR1);
	ck_assert_uint_ne(value(&torn), 0);
}
END_TEST

START_TEST(old_form_of_writing)
{
	unsigned int seq = raw_read_seqcount_latch(&latch);

	ck_assert_uint_eq(seq & 1, 0);
	ck_assert(!raw_read_seqcount_latch_retry(&latch, seq));
	raw_write_seqcount_latch(&latch);
	ck_assert(raw_read_seqcount_latch_retry(&latch, seq));
	ck_assert(read_seqcount_latch_retry(&latch, seq));
	ck_assert_uint_eq(read_seqcount_latch(&latch), seq + 1);
	raw_write_seqcount_latch(&latch);
	ck_assert_uint_eq(raw_read_seqcount_latch(&latch), seq + 2);
	seqcount_latch_init(&latch);
	ck_assert_uint_eq(raw_read_seqcount_latch(&latch), 0);
}
END_TEST

/* A write that ends behind so many steps: its writer died. */
static void write_until(uint64_t v, int last)
{
	int step;

	for (step = 0; step <= last; step++) {
		if (step == 0)
			write_seqcount_latch_begin(&latch);
		else if (step <= WORDS)
			seqcount_set(copies[0].word[step - 1], v);
		else if (step == WORDS + 1)
			write_seqcount_latch(&latch);
		else
			seqcount_set(copies[1].word[step - WORDS - 2], v);
	}
}

/* The next writer, who was told: the copy that readers take is whole. */
static void make_good(void)
{
	unsigned int seq = read_seqcount_latch(&latch);

	seqcount_store(&copies[~seq & 1], &copies[seq & 1], sizeof(copies[0]));
	if ((seq & 1) != 0)
		raw_write_seqcount_latch(&latch);
}

START_TEST(writer_that_died_at_each_step)
{
	uint64_t v = _i > WORDS ? 2 : 1;

	install_handler(handler);
	write_with_signals(1);
	write_until(2, _i);
	ck_assert_uint_eq(value_read_now(), v);
	make_good();
	write_with_signals(v + 1);
	ck_assert_uint_eq(value(&torn), 0);
}
END_TEST

/* A write behind it that makes nothing good sends readers to what is half written. */
START_TEST(writer_that_died_unnoticed_is_caught)
{
	install_handler(handler);
	write_until(1, 1);
	write_seqcount_latch_begin(&latch);
	raise(SIGUSR1);
	ck_assert_uint_ne(value(&torn), 0);
}
END_TEST

static void write_record(const struct record *r)
{
	write_seqcount_latch_begin(&latch);
	seqcount_store(&copies[0], r, sizeof(*r));
	write_seqcount_latch(&latch);
	seqcount_store(&copies[1], r, sizeof(*r));
	write_seqcount_latch_end(&latch);
}

START_TEST(storm_of_signals_on_the_writer)
{
	install_handler(handler);
	storm(write_record);
	ck_assert_uint_eq(value(&torn), 0);
	ck_assert_uint_eq(value(&passes), SIGNALS);
}
END_TEST

TCase *seqcount_latch_case(void)
{
	TCase *tc = tcase_create("latch");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, handler_at_every_step);
	tcase_add_test(tc, change_without_the_latch_is_caught);
	tcase_add_test(tc, old_form_of_writing);
	tcase_add_loop_test(tc, writer_that_died_at_each_step, 0, 2 * WORDS + 2);
	tcase_add_test(tc, writer_that_died_unnoticed_is_caught);
	tcase_add_test(tc, storm_of_signals_on_the_writer);
	return tc;
}
