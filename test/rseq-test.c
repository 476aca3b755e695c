/* SPDX-License-Identifier: MIT */
/*
 * The restartable sequences themselves, without what the library does when one is
 * aborted: each says truly whether it has done its work, on several threads for each
 * CPU and under signals whose handler does the same to the same words.
 */
#include <signal.h>
#include <stdlib.h>

#include "harness.h"

/* Before it includes others, which do not know of it. */
#include <srcu/push.h>

#define THREADS     4
#define OPERATIONS  200000
#define LEAST_FAILS 20

#ifdef SRCU_RSEQ_INLINE

struct tally {
	uint64_t done;
	uint64_t counted; /* pushes that were counted, and not made */
	uint64_t failed;  /* altogether */
};

static uint64_t *words;
static uint32_t mark;

static struct tally *handler_tally;
static void (*once)(struct tally *tally);

static void count(struct tally *tally, bool done)
{
	tally->done += done;
	tally->failed += !done;
}

static void lock_once(struct tally *tally)
{
	count(tally, srcu_rseq_inc_lock_((uintptr_t)words, &mark, 1));
}

static void unlock_once(struct tally *tally)
{
	count(tally, srcu_rseq_inc_unlock_((uintptr_t)words, &mark, 1));
}

static void add_once(struct tally *tally)
{
	count(tally, srcu_rseq_add_((uintptr_t)words, &mark, 1000000007u));
}

static void handle(void)
{
	once(handler_tally);
}

static void *repeat(void *arg)
{
	for (int i = 0; i < OPERATIONS; i++)
		once(arg);
	return NULL;
}

/* Do it in all threads, and in handlers on this one; what came of it is added to *sum. */
static void do_often(void (*operation)(struct tally *), struct tally *sum)
{
	struct tally tallies[THREADS + 2] = {0};
	pthread_t threads[THREADS];
	struct storm storm;

	once = operation;
	handler_tally = &tallies[THREADS + 1];
	mark = nr_possible_cpus();
	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(repeat, &tallies[i]);
	storm_start(&storm, SIGRTMIN, handle);
	repeat(&tallies[THREADS]);
	storm_stop(&storm);
	for (int i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	for (int i = 0; i < THREADS + 2; i++) {
		sum->done += tallies[i].done;
		sum->counted += tallies[i].counted;
		sum->failed += tallies[i].failed;
	}
}

static uint64_t sum_of(const uint64_t *word)
{
	uint64_t sum = 0;
	unsigned int cpu;

	for_each_possible_cpu (cpu)
		sum += *per_cpu_ptr(word, cpu);
	return sum;
}

static const struct {
	void (*once)(struct tally *tally);
	uint64_t adds;
	unsigned int word;
} increments[] = {
	{lock_once, 1, 0},
	{unlock_once, 1, 1},
	{add_once, 1000000007u, 0},
};

/* Where nothing is ever aborted, the time-out fails it. */
START_TEST(an_increment_is_made_or_reported_as_not_made)
{
	struct tally sum = {0};

	words = alloc_percpu_size(32, 32);
	ck_assert_ptr_nonnull(words);
	while (sum.failed < LEAST_FAILS)
		do_often(increments[_i].once, &sum);
	ck_assert_uint_eq(sum_of(words + increments[_i].word), sum.done * increments[_i].adds);
	ck_assert_uint_eq(sum_of(words + !increments[_i].word), 0);
}
END_TEST

START_TEST(no_cpu_above_the_mark_is_counted_on)
{
	struct tally tally = {0};

	words = alloc_percpu_size(32, 32);
	lock_once(&tally);
	unlock_once(&tally);
	add_once(&tally);
	ck_assert_uint_eq(tally.done, 0);
	ck_assert_uint_eq(sum_of(words) + sum_of(words + 1), 0);
}
END_TEST

/* Of a link and a flag.  None is used twice: an aborted push may have linked it. */
#define NODES ((THREADS + 2) * (size_t)OPERATIONS)
static uintptr_t nodes[NODES][2];
static size_t taken;
static uintptr_t lists;

static void push_once(struct tally *tally)
{
	size_t mine = __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
	enum srcu_push_ result;
	uintptr_t *node;

	if (mine >= NODES)
		return;
	node = nodes[mine];
	node[1] = 1; /* there, to be found once */
	result = srcu_rseq_push_(&lists, &mark, node);
	tally->counted += result == SRCU_COUNTED_;
	count(tally, result == SRCU_PUSHED_);
	if (result != SRCU_PUSHED_)
		node[1] = 0;
}

/* How many nodes are on the list of one CPU; none that was not pushed is. */
static uint64_t walk(const uintptr_t *list)
{
	const uintptr_t *node = list, *tail = (const uintptr_t *)list[SRCU_LIST_TAIL / 8];
	uint64_t found = 0, strange = 0;

	for (; tail && node != tail && found <= NODES; found++) {
		node = (const uintptr_t *)*node;
		strange += !node[1];
	}
	ck_assert_uint_eq(strange, 0);
	return found;
}

START_TEST(a_push_is_made_or_reported_as_not_made)
{
	struct tally sum = {0};

	while (sum.failed < LEAST_FAILS) {
		struct tally now = {0};
		uint64_t found = 0;
		unsigned int cpu;

		words = alloc_percpu_size(32, 32);
		lists = (uintptr_t)words;
		taken = 0;
		do_often(push_once, &now);
		for_each_possible_cpu (cpu)
			found += walk(per_cpu_ptr(words, cpu));
		ck_assert_uint_eq(found, now.done);
		ck_assert_uint_eq(sum_of(words + SRCU_LIST_PUSHED / 8), now.done + now.counted);
		free_percpu(words);
		sum.failed += now.failed;
	}
}
END_TEST

static void add_tests(TCase *sequences)
{
	if (!__rseq_size || forced("nomemory"))
		return;
	tcase_add_loop_test(sequences, an_increment_is_made_or_reported_as_not_made, 0, 3);
	tcase_add_test(sequences, no_cpu_above_the_mark_is_counted_on);
	tcase_add_test(sequences, a_push_is_made_or_reported_as_not_made);
}
#else
static void add_tests(TCase *sequences)
{
	(void)sequences;
}
#endif

int main(void)
{
	TCase *sequences = test_case("restartable sequences");
	TCase *cases[] = {sequences, NULL};

	add_tests(sequences);
	return run_suite("rseq", cases);
}
