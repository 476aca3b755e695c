/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of readers that meet a writer for long, under the types that know a
 * lock: they take it and drop it; those that must not do not; and a writer that dies
 * leaves a robust mutex in use.
 */
#include "test/seqcount-test.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

/* How often the header has taken a lock, and has dropped it. */
static unsigned int visits;
static unsigned int departures;

#define COUNTED(name, counter, lock_t)                             \
	static int counted_##name(lock_t *lock)                    \
	{                                                          \
		__atomic_fetch_add(&counter, 1, __ATOMIC_RELEASE); \
		return pthread_##name(lock);                       \
	}

COUNTED(mutex_lock, visits, pthread_mutex_t)
COUNTED(mutex_unlock, departures, pthread_mutex_t)
COUNTED(spin_unlock, departures, pthread_spinlock_t)
COUNTED(rwlock_rdlock, visits, pthread_rwlock_t)
COUNTED(rwlock_unlock, departures, pthread_rwlock_t)

/* Of the tries of one visit the first counts. */
static int counted_spin_trylock(pthread_spinlock_t *lock)
{
	static __thread bool waits;
	int error = pthread_spin_trylock(lock);

	if (!waits)
		__atomic_fetch_add(&visits, 1, __ATOMIC_RELEASE);
	waits = error != 0;
	return error;
}

static unsigned int yields;

static int counted_yield(void)
{
	__atomic_fetch_add(&yields, 1, __ATOMIC_RELEASE);
	return sched_yield();
}

#define pthread_mutex_lock    counted_mutex_lock
#define pthread_mutex_unlock  counted_mutex_unlock
#define pthread_spin_trylock  counted_spin_trylock
#define pthread_spin_unlock   counted_spin_unlock
#define pthread_rwlock_rdlock counted_rwlock_rdlock
#define pthread_rwlock_unlock counted_rwlock_unlock
#define sched_yield           counted_yield
#include <seqcount/seqlock.h>
#undef pthread_mutex_lock
#undef pthread_mutex_unlock
#undef pthread_spin_trylock
#undef pthread_spin_unlock
#undef pthread_rwlock_rdlock
#undef pthread_rwlock_unlock
#undef sched_yield

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spinlock;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static seqcount_mutex_t with_mutex = SEQCNT_MUTEX_ZERO(with_mutex, &mutex);
static seqcount_spinlock_t with_spinlock = SEQCNT_SPINLOCK_ZERO(with_spinlock, &spinlock);
static seqcount_rwlock_t with_rwlock = SEQCNT_RWLOCK_ZERO(with_rwlock, &rwlock);
static DEFINE_SEQLOCK(seqlock);
static int data;

/* One reader of each type, and the two halves of its writer. */
struct locked {
	unsigned int (*begin)(void);
	bool (*retry)(unsigned int start);
	void (*write)(void);
	void (*end)(void);
	void (*unlock)(void);
	int (*trylock)(void);
};

#define LOCKED(name, s, lock, unlock_it, try_it)      \
	static unsigned int begin_##name(void)        \
	{                                             \
		errno = 77;                           \
		return read_seqcount_begin(s);        \
	}                                             \
	static bool retry_##name(unsigned int start)  \
	{                                             \
		return read_seqcount_retry(s, start); \
	}                                             \
	static void write_##name(void)                \
	{                                             \
		lock;                                 \
		write_seqcount_begin(s);              \
	}                                             \
	static void end_##name(void)                  \
	{                                             \
		write_seqcount_end(s);                \
	}                                             \
	static void unlock_##name(void)               \
	{                                             \
		unlock_it;                            \
	}                                             \
	static int try_##name(void)                   \
	{                                             \
		return try_it;                        \
	}

LOCKED(mutex, &with_mutex, pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex),
	pthread_mutex_trylock(&mutex))
LOCKED(spinlock, &with_spinlock, pthread_spin_lock(&spinlock), pthread_spin_unlock(&spinlock),
	pthread_spin_trylock(&spinlock))
LOCKED(rwlock, &with_rwlock, pthread_rwlock_wrlock(&rwlock), pthread_rwlock_unlock(&rwlock),
	pthread_rwlock_trywrlock(&rwlock))

static unsigned int begin_seqlock(void)
{
	errno = 77;
	return read_seqbegin(&seqlock);
}

static bool retry_seqlock(unsigned int start)
{
	return read_seqretry(&seqlock, start);
}

static void write_locked(void)
{
	write_seqlock(&seqlock);
}

/* write_sequnlock() in two halves. */
static void end_seqlock(void)
{
	write_seqcount_end(&seqlock.seqcount_);
}

static void unlock_seqlock(void)
{
	pthread_mutex_unlock(&seqlock.lock_);
}

static int try_seqlock(void)
{
	return pthread_mutex_trylock(&seqlock.lock_);
}

static const struct locked types[] = {
	{begin_mutex, retry_mutex, write_mutex, end_mutex, unlock_mutex, try_mutex},
	{begin_spinlock, retry_spinlock, write_spinlock, end_spinlock, unlock_spinlock,
		try_spinlock},
	{begin_rwlock, retry_rwlock, write_rwlock, end_rwlock, unlock_rwlock, try_rwlock},
	{begin_seqlock, retry_seqlock, write_locked, end_seqlock, unlock_seqlock, try_seqlock},
};
#define TYPES (int)(sizeof(types) / sizeof(types[0]))

static unsigned int count(const unsigned int *counter)
{
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

struct reader {
	const struct locked *type;
	bool begun;
	unsigned int start;
	int seen;
	int error;
};

static void *begin_and_read(void *arg)
{
	struct reader *r = arg;

	r->start = r->type->begin();
	r->error = errno;
	__atomic_store_n(&r->begun, true, __ATOMIC_RELEASE);
	r->seen = seqcount_get(data);
	return NULL;
}

/*
 * The write has ended but the lock is held: a reader that takes it is behind it, one
 * that yields has begun.  Where it is behind it, no number of yields lets it begin.
 */
START_TEST(reader_takes_and_drops_the_lock)
{
	struct reader r = {&types[_i], false, 0, 0, 0};
	unsigned int before;
	pthread_t thread;
	int i;

	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	r.type->write();
	before = count(&visits);
	ck_assert_int_eq(pthread_create(&thread, NULL, begin_and_read, &r), 0);
	while (count(&visits) == before)
		sched_yield();
	seqcount_set(data, 5);
	r.type->end();
	for (i = 0; i < 100; i++) {
		ck_assert(!__atomic_load_n(&r.begun, __ATOMIC_ACQUIRE));
		sched_yield();
	}
	r.type->unlock();
	ck_assert_int_eq(pthread_join(thread, NULL), 0);

	ck_assert_uint_eq(count(&visits) - before, 1);
	ck_assert_uint_eq(count(&departures), 1);
	ck_assert_int_eq(r.type->trylock(), 0);
	ck_assert_uint_eq(r.start, 2);
	ck_assert_int_eq(r.seen, 5);
	ck_assert_int_eq(r.error, 77);
}
END_TEST

/* Nobody sleeps on a spin lock: who waits for it leaves the CPU to the writer. */
START_TEST(reader_yields_to_who_holds_a_spin_lock)
{
	struct reader r = {&types[1], false, 0, 0, 0};
	pthread_t thread;

	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	r.type->write();
	ck_assert_int_eq(pthread_create(&thread, NULL, begin_and_read, &r), 0);
	while (count(&yields) < 10)
		sched_yield();
	ck_assert_uint_eq(count(&visits), 1);
	r.type->end();
	r.type->unlock();
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(undisturbed_reader_takes_no_lock)
{
	const struct locked *type = &types[_i];
	unsigned int start;

	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	ck_assert_int_eq(type->trylock(), 0);
	start = type->begin();
	ck_assert(!type->retry(start));
	ck_assert_uint_eq(count(&visits), 0);
}
END_TEST

/* Those for signal handlers: the lock is held by the thread itself. */
START_TEST(raw_readers_take_no_lock)
{
	unsigned int start;

	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	write_mutex();
	write_spinlock();
	write_rwlock();
	ck_assert(!raw_seqcount_try_begin(&with_mutex, start));
	ck_assert(!raw_seqcount_try_begin(&with_spinlock, start));
	ck_assert(!raw_seqcount_try_begin(&with_rwlock, start));
	ck_assert(read_seqcount_retry(&with_mutex, raw_seqcount_begin(&with_mutex)));
	ck_assert(read_seqcount_retry(&with_spinlock, raw_seqcount_begin(&with_spinlock)));
	ck_assert(read_seqcount_retry(&with_rwlock, raw_seqcount_begin(&with_rwlock)));
	ck_assert_uint_eq(raw_read_seqcount(&with_rwlock), 1);
	ck_assert_uint_eq(count(&visits), 0);
}
END_TEST

static void *die_in_a_write(void *arg)
{
	write_mutex();
	seqcount_set(data, 1);
	return arg;
}

/* The reader is the first to be told, and the writer that follows finds out. */
START_TEST(reader_meets_a_dead_writer)
{
	struct reader r = {&types[0], false, 0, 0, 0};
	unsigned int before = begin_mutex();
	pthread_mutexattr_t robust;
	pthread_t thread;

	pthread_mutexattr_init(&robust);
	pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &robust);
	ck_assert_int_eq(pthread_create(&thread, NULL, die_in_a_write, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);

	ck_assert_int_eq(pthread_create(&thread, NULL, begin_and_read, &r), 0);
	while (count(&departures) < 2)
		sched_yield();
	ck_assert(!__atomic_load_n(&r.begun, __ATOMIC_ACQUIRE));
	ck_assert_int_eq(pthread_mutex_lock(&mutex), 0);
	ck_assert(write_seqcount_recover(&with_mutex));
	seqcount_set(data, 2);
	write_seqcount_end(&with_mutex);
	pthread_mutex_unlock(&mutex);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(r.seen, 2);
	ck_assert(retry_mutex(before));
	ck_assert(!retry_mutex(r.start));
}
END_TEST

TCase *seqcount_lock_case(void)
{
	TCase *tc = tcase_create("lock");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, reader_takes_and_drops_the_lock, 0, TYPES);
	tcase_add_test(tc, reader_yields_to_who_holds_a_spin_lock);
	tcase_add_loop_test(tc, undisturbed_reader_takes_no_lock, 0, TYPES);
	tcase_add_test(tc, raw_readers_take_no_lock);
	tcase_add_test(tc, reader_meets_a_dead_writer);
	return tc;
}
