/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of what a sequence does, under every type of counter and by every name;
 * near the ends of 32 and of 64 bits too.
 */
#include "test/seqcount-test.h"

#include <seqcount/seqcount.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spinlock;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

/* At file scope, as users have them. */
static seqcount_t plain = SEQCNT_ZERO(plain);
static seqcount64_t wide = SEQCNT64_ZERO(wide);
static seqcount_mutex_t with_mutex = SEQCNT_MUTEX_ZERO(with_mutex, &mutex);
static seqcount_spinlock_t with_spinlock = SEQCNT_SPINLOCK_ZERO(with_spinlock, &spinlock);
static seqcount_rwlock_t with_rwlock = SEQCNT_RWLOCK_ZERO(with_rwlock, &rwlock);

/* From @first on, which is even: writes and the looks of readers at them. */
#define CHECK_WRITES(s, value_t, first)                                         \
	do {                                                                    \
		value_t before = read_seqcount_begin(s);                        \
		value_t start;                                                  \
                                                                                \
		ck_assert_uint_eq(before, (value_t)(first));                    \
		ck_assert(raw_seqcount_try_begin(s, start));                    \
		ck_assert_uint_eq(start, before);                               \
		ck_assert(!read_seqcount_retry(s, before));                     \
		ck_assert(!__read_seqcount_retry(s, before));                   \
                                                                                \
		write_seqcount_begin(s);                                        \
		ck_assert(!raw_seqcount_try_begin(s, start));                   \
		ck_assert_uint_eq(raw_read_seqcount(s), (value_t)(before + 1)); \
		ck_assert_uint_eq(raw_seqcount_begin(s), before);               \
		ck_assert(read_seqcount_retry(s, before));                      \
		ck_assert(__read_seqcount_retry(s, before));                    \
		write_seqcount_end(s);                                          \
                                                                                \
		ck_assert(read_seqcount_retry(s, before));                      \
		start = raw_read_seqcount_begin(s);                             \
		ck_assert_uint_eq(start, (value_t)(before + 2));                \
		ck_assert_uint_eq(__read_seqcount_begin(s), start);             \
		ck_assert_uint_eq(raw_seqcount_begin(s), start);                \
		ck_assert(!read_seqcount_t_retry(s, start));                    \
		ck_assert(!__read_seqcount_t_retry(s, start));                  \
                                                                                \
		write_seqcount_begin_nested(s, 1);                              \
		ck_assert(read_seqcount_t_retry(s, start));                     \
		ck_assert(__read_seqcount_t_retry(s, start));                   \
		write_seqcount_end(s);                                          \
		raw_write_seqcount_begin(s);                                    \
		ck_assert_uint_eq(raw_read_seqcount(s), (value_t)(before + 5)); \
		raw_write_seqcount_end(s);                                      \
		ck_assert_uint_eq(raw_read_seqcount(s), (value_t)(before + 6)); \
	} while (0)

/* Changes without an odd phase, and a writer that is gone. */
#define CHECK_OTHERS(s, value_t)                                          \
	do {                                                              \
		value_t before = read_seqcount_begin(s);                  \
		value_t start;                                            \
                                                                          \
		write_seqcount_invalidate(s);                             \
		ck_assert(read_seqcount_retry(s, before));                \
		ck_assert(raw_seqcount_try_begin(s, start));              \
		ck_assert_uint_eq(start, (value_t)(before + 2));          \
		raw_write_seqcount_barrier(s);                            \
		ck_assert(read_seqcount_retry(s, start));                 \
		ck_assert(raw_seqcount_try_begin(s, start));              \
		ck_assert_uint_eq(start, (value_t)(before + 4));          \
                                                                          \
		ck_assert(!write_seqcount_recover(s));                    \
		ck_assert(!read_seqcount_retry(s, start));                \
		write_seqcount_begin(s);                                  \
		ck_assert(write_seqcount_recover(s));                     \
		ck_assert(!raw_seqcount_try_begin(s, start));             \
		write_seqcount_end(s);                                    \
		ck_assert(raw_seqcount_try_begin(s, start));              \
		ck_assert(read_seqcount_retry(s, (value_t)(before + 4))); \
                                                                          \
		/* Who does not ask makes the write good all the same. */ \
		write_seqcount_begin(s);                                  \
		write_seqcount_begin(s);                                  \
		ck_assert(!raw_seqcount_try_begin(s, start));             \
		write_seqcount_end(s);                                    \
		ck_assert(raw_seqcount_try_begin(s, start));              \
		ck_assert_uint_eq(start, (value_t)(before + 8));          \
	} while (0)

static void check_from(uint64_t first)
{
	plain.sequence_ = (unsigned int)first;
	wide.sequence_ = first;
	with_mutex.seqcount_.sequence_ = (unsigned int)first;
	with_spinlock.seqcount_.sequence_ = (unsigned int)first;
	with_rwlock.seqcount_.sequence_ = (unsigned int)first;
	CHECK_WRITES(&plain, unsigned int, first);
	CHECK_WRITES(&wide, uint64_t, first);
	CHECK_WRITES(&with_mutex, unsigned int, first);
	CHECK_WRITES(&with_spinlock, unsigned int, first);
	CHECK_WRITES(&with_rwlock, unsigned int, first);
	CHECK_OTHERS(&plain, unsigned int);
	CHECK_OTHERS(&wide, uint64_t);
	CHECK_OTHERS(&with_mutex, unsigned int);
	CHECK_OTHERS(&with_spinlock, unsigned int);
	CHECK_OTHERS(&with_rwlock, unsigned int);
}

START_TEST(every_type_and_every_name)
{
	check_from(0);
}
END_TEST

/* Each step of the checks comes to lie on each side of the ends. */
START_TEST(near_the_ends)
{
	check_from(UINT32_MAX - (uint64_t)_i * 2 - 1);
	check_from(UINT64_MAX - (uint64_t)_i * 2 - 1);
}
END_TEST

/* What tells the two widths apart: 2^31 writes between the two looks of a reader. */
START_TEST(only_64_bits_outlast_a_long_stop)
{
	unsigned int start = read_seqcount_begin(&plain);
	uint64_t wide_start = read_seqcount_begin(&wide);

	plain.sequence_ = (unsigned int)(start + (UINT64_C(1) << 32));
	wide.sequence_ = wide_start + (UINT64_C(1) << 32);
	ck_assert(!read_seqcount_retry(&plain, start));
	ck_assert(read_seqcount_retry(&wide, wide_start));
	ck_assert_uint_eq(read_seqcount_begin(&wide), UINT64_C(1) << 32);
}
END_TEST

START_TEST(dynamic_initialisers)
{
	seqcount64_t a = {77};
	seqcount_mutex_t b = SEQCNT_MUTEX_ZERO(b, NULL);
	seqcount_spinlock_t c = SEQCNT_SPINLOCK_ZERO(c, NULL);
	seqcount_rwlock_t d = SEQCNT_RWLOCK_ZERO(d, NULL);

	b.seqcount_.sequence_ = 77;
	c.seqcount_.sequence_ = 77;
	d.seqcount_.sequence_ = 77;
	seqcount64_init(&a);
	seqcount_mutex_init(&b, &mutex);
	seqcount_spinlock_init(&c, &spinlock);
	seqcount_rwlock_init(&d, &rwlock);
	ck_assert_uint_eq(read_seqcount_begin(&a), 0);
	ck_assert_uint_eq(read_seqcount_begin(&b), 0);
	ck_assert_uint_eq(read_seqcount_begin(&c), 0);
	ck_assert_uint_eq(read_seqcount_begin(&d), 0);
	ck_assert_ptr_eq(b.lock_, &mutex);
	ck_assert(c.lock_ == &spinlock); /* a pointer to volatile */
	ck_assert_ptr_eq(d.lock_, &rwlock);
}
END_TEST

/* Through pointers to const, and with the argument evaluated once. */
START_TEST(readers_take_const)
{
	const seqcount_mutex_t pair[2] = {
		SEQCNT_MUTEX_ZERO(pair[0], &mutex), SEQCNT_MUTEX_ZERO(pair[1], &mutex)};
	const seqcount_mutex_t *s = pair;
	unsigned int start = read_seqcount_begin(s++);

	ck_assert_ptr_eq(s, &pair[1]);
	ck_assert(!read_seqcount_retry(--s, start));
	ck_assert_ptr_eq(s, &pair[0]);
	ck_assert(raw_seqcount_try_begin(s++, start));
	ck_assert_ptr_eq(s, &pair[1]);
	ck_assert_uint_eq(raw_seqcount_begin(pair), 0);
}
END_TEST

/* A writer that goes on and on, in two changes that raw_write_seqcount_barrier() orders. */
static uint64_t first;
static uint64_t second;
static bool over;

static void *change_in_order(void *arg)
{
	uint64_t i;

	for (i = 1; !__atomic_load_n(&over, __ATOMIC_RELAXED); i++) {
		seqcount_set(first, i);
		raw_write_seqcount_barrier(&plain);
		seqcount_set(second, i);
	}
	return arg;
}

START_TEST(barrier_orders_two_changes)
{
	unsigned int kept = 0;
	unsigned int reads = 0;
	unsigned int reordered = 0;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, change_in_order, NULL), 0);
	while (kept < 10000 || reordered == 0) {
		unsigned int start = read_seqcount_begin(&plain);
		uint64_t a = seqcount_get(first);
		uint64_t b;

		/* On a single CPU the writer gets between the two now and then. */
		if (++reads % 64 == 0)
			sched_yield();
		b = seqcount_get(second);
		if (read_seqcount_retry(&plain, start)) {
			/* Only the retry keeps the reader from the later change alone. */
			reordered += b > a;
			continue;
		}
		kept++;
		ck_assert_uint_ge(a, b);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

TCase *seqcount_rules_case(void)
{
	TCase *tc = tcase_create("rules");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, every_type_and_every_name);
	tcase_add_loop_test(tc, near_the_ends, 0, 16);
	tcase_add_test(tc, only_64_bits_outlast_a_long_stop);
	tcase_add_test(tc, dynamic_initialisers);
	tcase_add_test(tc, readers_take_const);
	tcase_add_test(tc, barrier_orders_two_changes);
	return tc;
}
