/* SPDX-License-Identifier: MIT */
/*
 * The hunt for torn reads under every kind of counter: two writers, two readers,
 * and sequences that wrap on the way.  Of each kind that can be read carelessly it
 * is shown that the hunt finds that out.
 */
#include "test/seqcount-kinds.h"
#include "test/seqcount-test.h"

#include <string.h>

#define WRITERS 2
#define READERS 2
#define WRITES  4000u
#define KEPT    400u

struct hunt {
	struct subject subject;
	const struct kind *kind;
	bool careless;
	bool over;
	unsigned int writes;
	unsigned int kept[READERS];
	unsigned int next_reader;
	unsigned int torn;
	unsigned int backwards;
};

static unsigned int value(const unsigned int *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static bool over(const struct hunt *h)
{
	return __atomic_load_n(&h->over, __ATOMIC_RELAXED);
}

static void *writer(void *arg)
{
	struct hunt *h = arg;

	while (!over(h)) {
		h->kind->write(&h->subject);
		/* Now and then a reader gets a record to keep, on a single CPU too. */
		if (__atomic_add_fetch(&h->writes, 1, __ATOMIC_RELAXED) % 64 == 0)
			sched_yield();
	}
	return NULL;
}

static bool is_whole(const struct record *copy)
{
	size_t i;

	for (i = 1; i < RECORD_WORDS; i++) {
		if (copy->word[i] != copy->word[0])
			return false;
	}
	return true;
}

static void *reader(void *arg)
{
	struct hunt *h = arg;
	unsigned int self = __atomic_fetch_add(&h->next_reader, 1, __ATOMIC_RELAXED);
	uint64_t last = 0;

	while (!over(h)) {
		struct record copy;

		h->kind->read(&h->subject, &copy, h->careless);
		if (!is_whole(&copy))
			__atomic_fetch_add(&h->torn, 1, __ATOMIC_RELAXED);
		else if (copy.word[0] < last)
			__atomic_fetch_add(&h->backwards, 1, __ATOMIC_RELAXED);
		else
			last = copy.word[0];
		__atomic_fetch_add(&h->kept[self], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool caught_enough(const struct hunt *h)
{
	unsigned int i;

	if (h->careless)
		return value(&h->torn) != 0;
	for (i = 0; i < READERS; i++) {
		if (value(&h->kept[i]) < KEPT)
			return false;
	}
	return value(&h->writes) >= WRITES;
}

static void run_hunt(struct hunt *h, const struct kind *kind, uint64_t sequence, bool careless)
{
	pthread_t threads[WRITERS + READERS];
	int i;

	memset(h, 0, sizeof(*h));
	subject_init(&h->subject);
	kind->set_sequence(&h->subject, sequence);
	h->kind = kind;
	h->careless = careless;
	for (i = 0; i < WRITERS + READERS; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, i < WRITERS ? writer : reader, h), 0);
	while (!caught_enough(h))
		sched_yield();
	__atomic_store_n(&h->over, true, __ATOMIC_RELAXED);
	for (i = 0; i < WRITERS + READERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	/* The locks did exclude the writers. */
	ck_assert_uint_eq(h->subject.record[0].word[0], h->writes);
}

static void hunt(int kind, uint64_t sequence)
{
	struct hunt h;

	run_hunt(&h, &kinds[kind], sequence, false);
	ck_assert_msg(h.torn == 0, "%s: torn reads", kinds[kind].name);
	ck_assert_msg(h.backwards == 0, "%s: reads of the past", kinds[kind].name);
}

START_TEST(no_torn_reads_of_any_kind)
{
	hunt(_i, 0);
}
END_TEST

/* The sequence wraps, at 32 and at 64 bits, in the middle of the hunt. */
START_TEST(nor_while_the_sequence_wraps)
{
	hunt(_i, UINT64_MAX - WRITES + 1);
}
END_TEST

/* The lower half of 64 bits wraps. */
START_TEST(nor_while_half_of_it_wraps)
{
	hunt(_i, UINT32_MAX - WRITES + 1);
}
END_TEST

START_TEST(careless_readers_are_caught)
{
	struct hunt h;

	if (kinds[_i].locks_at_once)
		return;
	run_hunt(&h, &kinds[_i], 0, true);
	ck_assert_uint_ne(h.torn, 0);
}
END_TEST

TCase *seqcount_hunt_case(void)
{
	TCase *tc = tcase_create("hunt");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, no_torn_reads_of_any_kind, 0, kinds_count);
	tcase_add_loop_test(tc, nor_while_the_sequence_wraps, 0, kinds_count);
	tcase_add_loop_test(tc, nor_while_half_of_it_wraps, 0, kinds_count);
	tcase_add_loop_test(tc, careless_readers_are_caught, 0, kinds_count);
	return tc;
}
