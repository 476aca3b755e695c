/* SPDX-License-Identifier: MIT */
/*
 * The hunt for torn reads: a writer replaces a record as fast as it can, readers
 * copy it and check that every copy they keep is whole, and is the one that
 * belongs to the sequence they started from.  The same hunt with a reader or a
 * writer that leaves out a step must end with a torn copy, which shows that the
 * checks can see one.
 */
#include "test/seqcount-test.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include <seqcount/seqcount.h>

#define ROUNDS      50000u
#define KEPT        2000u
#define MAX_BYTES   256
#define MAX_READERS 2

enum discipline {
	FULL,
	READER_IGNORES_RETRY,
	WRITER_COUNTS_AFTERWARDS,
};

struct hunt {
	/* Constant during the hunt. */
	size_t bytes;
	unsigned char *record;
	enum discipline discipline;
	unsigned int readers;

	/* Written by the writer. */
	_Alignas(64) seqcount_t seq;
	bool over;
	_Alignas(64) unsigned char memory[MAX_BYTES + 64];

	/* Written by the readers. */
	_Alignas(64) unsigned int kept[MAX_READERS];
	unsigned int torn;
	unsigned int misplaced;
	unsigned int next_reader;
};

static const struct shape {
	size_t bytes;
	size_t offset;
	unsigned int readers;
} shapes[] = {
	{8, 0, 1},
	{8, 4, 1},
	{8, 5, 2},
	{16, 0, 2},
	{20, 0, 1},
	{24, 0, 2},
	{31, 1, 1},
	{32, 7, 2},
	{64, 0, 1},
	{67, 3, 2},
	{128, 2, 1},
	{256, 0, 2},
	{256, 1, 1},
};

/* A record is the number of its round, over and over. */
static void make_record(unsigned char *record, size_t bytes, uint32_t round)
{
	unsigned char number[sizeof(round)];
	size_t i;

	memcpy(number, &round, sizeof(round));
	for (i = 0; i < bytes; i++)
		record[i] = number[i % sizeof(number)];
}

static bool record_is_whole(const unsigned char *record, size_t bytes, uint32_t *round)
{
	memcpy(round, record, sizeof(*round));
	return memcmp(record, record + sizeof(*round), bytes - sizeof(*round)) == 0;
}

static unsigned int read_record(struct hunt *h, unsigned char *copy)
{
	unsigned int start;

	do {
		start = read_seqcount_begin(&h->seq);
		seqcount_load(copy, h->record, h->bytes);
	} while (read_seqcount_retry(&h->seq, start) && h->discipline != READER_IGNORES_RETRY);
	return start;
}

static void *reader(void *arg)
{
	struct hunt *h = arg;
	unsigned int self = __atomic_fetch_add(&h->next_reader, 1, __ATOMIC_RELAXED);
	unsigned char copy[MAX_BYTES];

	while (!__atomic_load_n(&h->over, __ATOMIC_RELAXED)) {
		unsigned int start = read_record(h, copy);
		uint32_t round;

		/* Round n is the n-th write, after which the sequence is 2 * n. */
		if (!record_is_whole(copy, h->bytes, &round))
			__atomic_fetch_add(&h->torn, 1, __ATOMIC_RELAXED);
		else if (start != 2 * round)
			__atomic_fetch_add(&h->misplaced, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&h->kept[self], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void write_record(struct hunt *h, uint32_t round)
{
	unsigned char record[MAX_BYTES];

	make_record(record, h->bytes, round);
	if (h->discipline != WRITER_COUNTS_AFTERWARDS)
		write_seqcount_begin(&h->seq);
	seqcount_store(h->record, record, h->bytes);
	if (h->discipline == WRITER_COUNTS_AFTERWARDS)
		write_seqcount_begin(&h->seq);
	write_seqcount_end(&h->seq);
}

/* A few microseconds without a write, in which readers get a record to keep. */
static void leave_a_gap(void)
{
	int i;

	for (i = 0; i < 4000; i++)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static bool hunt_is_over(const struct hunt *h, uint32_t round)
{
	unsigned int i;

	if (h->discipline != FULL)
		return __atomic_load_n(&h->torn, __ATOMIC_RELAXED) != 0;
	if (round < ROUNDS)
		return false;
	for (i = 0; i < h->readers; i++) {
		if (__atomic_load_n(&h->kept[i], __ATOMIC_RELAXED) < KEPT)
			return false;
	}
	return true;
}

static void run_hunt(struct hunt *h, const struct shape *shape, enum discipline discipline)
{
	pthread_t threads[MAX_READERS];
	uint32_t round;
	unsigned int i;

	memset(h, 0, sizeof(*h));
	h->bytes = shape->bytes;
	h->record = h->memory + shape->offset;
	h->readers = shape->readers;
	h->discipline = discipline;
	for (i = 0; i < h->readers; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, reader, h), 0);
	for (round = 1; !hunt_is_over(h, round); round++) {
		write_record(h, round);
		if (round % 16 == 0)
			leave_a_gap();
	}
	__atomic_store_n(&h->over, true, __ATOMIC_RELAXED);
	for (i = 0; i < h->readers; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

START_TEST(no_torn_reads)
{
	struct hunt h;

	run_hunt(&h, &shapes[_i], FULL);
	ck_assert_uint_eq(h.torn, 0);
	ck_assert_uint_eq(h.misplaced, 0);
}
END_TEST

static const struct shape large = {MAX_BYTES, 1, 1};

START_TEST(reader_that_ignores_retry_is_caught)
{
	struct hunt h;

	run_hunt(&h, &large, READER_IGNORES_RETRY);
	ck_assert_uint_ne(h.torn, 0);
}
END_TEST

START_TEST(writer_that_counts_afterwards_is_caught)
{
	struct hunt h;

	run_hunt(&h, &large, WRITER_COUNTS_AFTERWARDS);
	ck_assert_uint_ne(h.torn, 0);
}
END_TEST

TCase *seqcount_torn_case(void)
{
	TCase *tc = tcase_create("torn");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, no_torn_reads, 0, (int)(sizeof(shapes) / sizeof(shapes[0])));
	tcase_add_test(tc, reader_that_ignores_retry_is_caught);
	tcase_add_test(tc, writer_that_counts_afterwards_is_caught);
	return tc;
}
