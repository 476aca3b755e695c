/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU memory and the this_cpu operations: no increment is lost to signal
 * handlers, migration or many threads; allocation, reuse and bad input.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "harness.h"

#define ROUNDS 300000

static uint64_t *counter;

static void count_in_handler(void)
{
	this_cpu_inc(*counter);
}

START_TEST(increments_survive_a_signal_storm)
{
	uint64_t looped = 0;
	struct storm storm;

	counter = alloc_percpu(uint64_t);
	ck_assert_ptr_nonnull(counter);
	storm_start(&storm, SIGRTMIN, count_in_handler);
	while (looped < ROUNDS || storm_handled() < 1000) {
		this_cpu_inc(*counter);
		looped++;
	}
	storm_stop(&storm);
	ck_assert_uint_eq(percpu_sum(counter), looped + storm_handled());
	free_percpu(counter);
}
END_TEST

struct adder {
	uint64_t done;
	int stop;
};

static void *add_and_migrate(void *arg)
{
	struct adder *adder = arg;
	unsigned int cpus = cpus_allowed();

	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (i % 64 == 0)
			pin_to_nth_cpu(i / 64 % cpus);
		this_cpu_add(*counter, 3);
		adder->done += 3;
	}
	return NULL;
}

START_TEST(increments_survive_forced_migration)
{
	struct adder adders[4] = {0};
	pthread_t threads[4];
	uint64_t expected = 0;

	counter = alloc_percpu(uint64_t);
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(add_and_migrate, &adders[i]);
	for (int i = 0; i < 4; i++) {
		thread_join(threads[i]);
		expected += adders[i].done;
	}
	ck_assert_uint_eq(percpu_sum(counter), expected);
	free_percpu(counter);
}
END_TEST

/* The counter-test of the two above: a plain increment does lose to a handler. */
static void plain_inc_in_handler(int signal)
{
	(void)signal;
	__this_cpu_inc(*counter);
}

START_TEST(plain_increments_lose_to_a_handler)
{
	struct sigaction action = {.sa_handler = plain_inc_in_handler};

	pin_to_nth_cpu(0);
	counter = alloc_percpu(uint64_t);
	sigaction(SIGRTMIN, &action, NULL);
	for (int i = 0; i < 100; i++) {
		uint64_t value = __this_cpu_read(*counter);

		raise(SIGRTMIN);
		__this_cpu_write(*counter, value + 1);
	}
	ck_assert_uint_eq(percpu_sum(counter), 100); /* of 200 */
	free_percpu(counter);
}
END_TEST

START_TEST(copies_are_zeroed_and_apart)
{
	uint64_t *a = alloc_percpu(uint64_t), *b;
	unsigned int cpu;

	for_each_possible_cpu (cpu)
		*per_cpu_ptr(a, cpu) = cpu + 1;
	ck_assert_uint_eq(
		percpu_sum(a), (uint64_t)nr_possible_cpus() * (nr_possible_cpus() + 1) / 2);
	free_percpu(a);
	b = alloc_percpu(uint64_t);
	ck_assert_ptr_eq(a, b); /* used again */
	ck_assert_uint_eq(percpu_sum(b), 0);
	for_each_possible_cpu (cpu)
		ck_assert_uint_eq(*per_cpu_ptr(b, cpu), 0);
	free_percpu(b);
}
END_TEST

struct pair {
	uint64_t packets, bytes;
};

START_TEST(members_count_apart)
{
	struct pair *pair = alloc_percpu(struct pair);

	for (int i = 0; i < 10; i++) {
		this_cpu_inc(pair->packets);
		this_cpu_add(pair->bytes, 1500);
	}
	ck_assert_uint_eq(percpu_sum(&pair->packets), 10);
	ck_assert_uint_eq(percpu_sum(&pair->bytes), 15000);
	free_percpu(pair);
}
END_TEST

START_TEST(objects_do_not_overlap)
{
	enum { N = 400 };
	static const size_t sizes[] = {8, 32, 40, 100, 2048, 64, 512};
	char *objects[N];

	for (int i = 0; i < N; i++) {
		size_t size = sizes[i % 7];

		objects[i] = alloc_percpu_size(size, i % 3 ? 8 : 64);
		ck_assert_ptr_nonnull(objects[i]);
		ck_assert_uint_eq((uintptr_t)objects[i] % (i % 3 ? 8 : 64), 0);
		memset(per_cpu_ptr(objects[i], 1), i & 0xff, size);
	}
	for (int i = 0; i < N; i++)
		for (size_t k = 0; k < sizes[i % 7]; k++)
			ck_assert_int_eq(per_cpu_ptr(objects[i], 1)[k], (char)(i & 0xff));
	for (int i = 0; i < N; i++)
		free_percpu(objects[i]);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

START_TEST(bad_sizes_are_refused)
{
	static const size_t bad[][2] = {{0, 8}, {2049, 8}, {8, 0}, {8, 3}, {8, 128}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		ck_assert_ptr_null(alloc_percpu_size(bad[i][0], bad[i][1]));
		ck_assert_int_eq(errno, EINVAL);
	}
}
END_TEST

START_TEST(a_bad_free_is_reported_and_harmless)
{
	uint64_t *p = alloc_percpu_size(64, 8), on_stack = 0;

	warnings_collect();
	free_percpu(NULL);
	ck_assert_uint_eq(warnings(), 0);
	free_percpu(&on_stack);
	free_percpu(p + 4); /* in the middle */
	free_percpu(p + 1); /* in the middle of a unit */
	ck_assert_uint_eq(warnings(), 3);
	free_percpu(p);
	ck_assert_uint_eq(warnings(), 3);
	free_percpu(p);
	ck_assert_uint_eq(warnings(), 4);
	ck_assert(warned_of("free_percpu"));
}
END_TEST

START_TEST(no_address_space_is_enomem)
{
	struct rlimit none = {1, 1};
	void *p;

	/* The window may have been made before: let only a fresh one be refused. */
	if (!forced("nomemory"))
		ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	errno = 0;
	p = alloc_percpu(uint64_t);
	none.rlim_cur = RLIM_INFINITY;
	ck_assert(!p && errno == ENOMEM);
}
END_TEST

static void *allocate_and_free(void *arg)
{
	void *kept[16] = {0};
	unsigned int at = 0;

	(void)arg;
	for (int i = 0; i < 20000; i++) {
		at = (at * 5 + 3) % 16;
		free_percpu(kept[at]);
		kept[at] = alloc_percpu_size((size_t)(i % 5) * 100 + 1, 8);
		ck_assert_ptr_nonnull(kept[at]);
	}
	for (at = 0; at < 16; at++)
		free_percpu(kept[at]);
	return NULL;
}

START_TEST(threads_allocate_at_once)
{
	pthread_t threads[4];

	warnings_collect();
	for (int i = 0; i < 4; i++)
		threads[i] = thread_start(allocate_and_free, NULL);
	for (int i = 0; i < 4; i++)
		thread_join(threads[i]);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

int main(void)
{
	TCase *ops = test_case("this_cpu"), *memory = test_case("memory");
	TCase *none = test_case("no memory");
	TCase *cases[] = {ops, memory, none, NULL};

	if (!forced("nomemory")) {
		tcase_add_test(ops, increments_survive_a_signal_storm);
		tcase_add_test(ops, increments_survive_forced_migration);
		tcase_add_test(ops, plain_increments_lose_to_a_handler);
		tcase_add_test(ops, members_count_apart);
		tcase_add_test(memory, copies_are_zeroed_and_apart);
		tcase_add_test(memory, objects_do_not_overlap);
		tcase_add_test(memory, bad_sizes_are_refused);
		tcase_add_test(memory, a_bad_free_is_reported_and_harmless);
		tcase_add_test(memory, threads_allocate_at_once);
	}
	if (!SANITIZED || forced("nomemory"))
		tcase_add_test(none, no_address_space_is_enomem);
	return run_suite("percpu", cases);
}
