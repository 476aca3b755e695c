/* SPDX-License-Identifier: MIT */
/*
 * Counters that know the lock which excludes their writers.  Part of
 * <seqcount/seqcount.h>, which has the interface.
 *
 * A reader that meets a writer for long, as a rule one that was preempted, takes
 * the lock and drops it: it sleeps until the writer is through instead of
 * yielding, and a real-time reader lends its priority to the writer where the
 * mutex inherits it.  Before a spin lock it yields, too.
 */
#ifndef SEQCOUNT_LOCKED_H
#define SEQCOUNT_LOCKED_H

#include <errno.h>
#include <pthread.h>
#include <seqcount/counter.h>

/*
 * The locks are POSIX's, whose names a strict C11 program does not see.  The wider
 * macros imply the first with glibc, which defines it, and with musl, which does not.
 */
#if (defined(_POSIX_C_SOURCE) && _POSIX_C_SOURCE >= 200809L) || defined(_GNU_SOURCE) || \
	(defined(_XOPEN_SOURCE) && _XOPEN_SOURCE >= 700)
#define SEQCOUNT_LOCKS_ 1
#endif

#ifdef SEQCOUNT_LOCKS_
#ifdef SEQCOUNT_DEBUG
#if !defined(__GLIBC__) || !defined(_DEFAULT_SOURCE)
#error "SEQCOUNT_DEBUG looks into the locks of glibc, and needs _DEFAULT_SOURCE"
#endif
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Does the caller hold it for writing?  Of a spin lock: does anybody?  If not, it is
 * left held, since the program ends.  A mutex whose owner died has INT_MAX for it, until
 * pthread_mutex_consistent(): the low bits of a robust mutex's word say who holds it.
 */
SEQCOUNT_INLINE_ bool seqcount_mutex_held_(pthread_mutex_t *lock)
{
	int owner = __atomic_load_n(&lock->__data.__owner, __ATOMIC_RELAXED);

	if (owner == INT_MAX)
		owner = __atomic_load_n(&lock->__data.__lock, __ATOMIC_RELAXED) & 0x3fffffff;
	return owner == syscall(SYS_gettid);
}

SEQCOUNT_INLINE_ bool seqcount_rwlock_held_(pthread_rwlock_t *lock)
{
	return __atomic_load_n(&lock->__data.__cur_writer, __ATOMIC_RELAXED) == syscall(SYS_gettid);
}

SEQCOUNT_INLINE_ bool seqcount_spinlock_held_(pthread_spinlock_t *lock)
{
	return pthread_spin_trylock(lock) != 0;
}
#endif

/*
 * Wait behind the writer.  Where the owner of a robust mutex died the mutex stays
 * in use, and the sequence, if it is odd, tells the next writer.
 */
SEQCOUNT_INLINE_ void seqcount_mutex_visit_(pthread_mutex_t *lock)
{
	int error = pthread_mutex_lock(lock);

	if (error == EOWNERDEAD)
		error = pthread_mutex_consistent(lock);
	if (error == 0)
		pthread_mutex_unlock(lock);
}

/* pthread_spin_lock() would keep the CPU that the writer needs. */
SEQCOUNT_INLINE_ void seqcount_spinlock_visit_(pthread_spinlock_t *lock)
{
	while (pthread_spin_trylock(lock) != 0)
		sched_yield();
	pthread_spin_unlock(lock);
}

SEQCOUNT_INLINE_ void seqcount_rwlock_visit_(pthread_rwlock_t *lock)
{
	if (pthread_rwlock_rdlock(lock) == 0)
		pthread_rwlock_unlock(lock);
}

/*
 * What such a counter can do by itself, beside what its seqcount_t can: find that,
 * begin a read, and begin and end a write.  A writer that is gone without having
 * ended its write leaves an odd sequence and a free lock: the reader yields then.
 */
#define SEQCOUNT_LOCKED_(type, lock_t)                                                             \
	SEQCOUNT_INLINE_ void type##_init(type##_t *s, lock_t *lock)                               \
	{                                                                                          \
		seqcount_init(&s->seqcount_);                                                      \
		s->lock_ = lock;                                                                   \
	}                                                                                          \
	SEQCOUNT_OUTLINE_ unsigned int type##_wait_(const seqcount_t *s, lock_t *lock)             \
	{                                                                                          \
		unsigned int pauses = SEQCOUNT_PAUSES_;                                            \
		unsigned int start;                                                                \
                                                                                                   \
		while ((start = SEQCOUNT_FUNCTION_(seqcount, look)(s)) & 1) {                      \
			if (pauses != 0) {                                                         \
				pauses--;                                                          \
				seqcount_pause_();                                                 \
				continue;                                                          \
			}                                                                          \
			type##_visit_(lock);                                                       \
			if (SEQCOUNT_FUNCTION_(seqcount, look)(s) & 1)                             \
				sched_yield();                                                     \
		}                                                                                  \
		return start;                                                                      \
	}                                                                                          \
	SEQCOUNT_INLINE_ const seqcount_t *SEQCOUNT_FUNCTION_(type, reader)(const type##_t *s)     \
	{                                                                                          \
		return &s->seqcount_;                                                              \
	}                                                                                          \
	SEQCOUNT_INLINE_ seqcount_t *SEQCOUNT_FUNCTION_(type, writer)(type##_t * s)                \
	{                                                                                          \
		return &s->seqcount_;                                                              \
	}                                                                                          \
	SEQCOUNT_INLINE_ unsigned int SEQCOUNT_FUNCTION_(type, begin)(const type##_t *s)           \
	{                                                                                          \
		unsigned int start = SEQCOUNT_FUNCTION_(seqcount, look)(&s->seqcount_);            \
                                                                                                   \
		if (__builtin_expect((start & 1) != 0, 0))                                         \
			return type##_wait_(&s->seqcount_, s->lock_);                              \
		return start;                                                                      \
	}                                                                                          \
	SEQCOUNT_INLINE_ void SEQCOUNT_FUNCTION_(type, write)(type##_t * s, const char *site)      \
	{                                                                                          \
		seqcount_assert_(type##_held_(s->lock_), site, "a write begins without its lock"); \
		SEQCOUNT_FUNCTION_(seqcount, write)(&s->seqcount_, site);                          \
	}                                                                                          \
	SEQCOUNT_INLINE_ void SEQCOUNT_FUNCTION_(type, end)(type##_t * s, const char *site)        \
	{                                                                                          \
		seqcount_assert_(type##_held_(s->lock_), site, "a write ends without its lock");   \
		SEQCOUNT_FUNCTION_(seqcount, end)(&s->seqcount_, site);                            \
	}

/**
 * seqcount_mutex_t, seqcount_spinlock_t, seqcount_rwlock_t - a sequence counter
 * with a pthread_mutex_t, pthread_spinlock_t or pthread_rwlock_t that excludes its
 * writers
 *
 * Writers hold the lock, a rwlock for writing, and take it themselves.  Readers
 * meet a writer for long take it and drop it, and therefore begin where it may be
 * taken: not while they hold it, nor inside another lock that is taken in it; and
 * never in a signal handler.  raw_seqcount_try_begin() and the other raw_ readers
 * that do not wait take no lock.
 *
 * The lock is known by its address, which in memory that processes share must be
 * the same in all of them.  32 bits, as a seqcount_t.  Not there for a program in
 * strict C11, which sees no lock of POSIX's: -std=gnu11, or _POSIX_C_SOURCE=200809L.
 *
 * Origin: Linux, where readers take the lock on PREEMPT_RT only.  Its
 * seqcount_raw_spinlock_t has no counterpart: no thread can keep itself from being
 * preempted; nor have wound/wait mutexes.
 */
typedef struct seqcount_mutex {
	seqcount_t seqcount_;
	pthread_mutex_t *lock_;
} seqcount_mutex_t;

typedef struct seqcount_spinlock {
	seqcount_t seqcount_;
	pthread_spinlock_t *lock_;
} seqcount_spinlock_t;

typedef struct seqcount_rwlock {
	seqcount_t seqcount_;
	pthread_rwlock_t *lock_;
} seqcount_rwlock_t;

/**
 * SEQCNT_MUTEX_ZERO, SEQCNT_SPINLOCK_ZERO, SEQCNT_RWLOCK_ZERO - initialisers
 * @name: the variable it initialises
 * @lock: the address of its lock
 *
 * Origin: Linux.
 */
#define SEQCNT_MUTEX_ZERO(name, lock)     \
	{                                 \
		SEQCNT_ZERO(name), (lock) \
	}
#define SEQCNT_SPINLOCK_ZERO(name, lock) SEQCNT_MUTEX_ZERO(name, lock)
#define SEQCNT_RWLOCK_ZERO(name, lock)   SEQCNT_MUTEX_ZERO(name, lock)

/**
 * seqcount_mutex_init, seqcount_spinlock_init, seqcount_rwlock_init - initialise a
 * sequence counter that has a lock
 * @s: the counter, which nobody else uses yet
 * @lock: its lock
 *
 * Context: any.
 * Ordering: none.
 * Origin: Linux.
 */
#ifdef __cplusplus
extern "C++" {
#endif
SEQCOUNT_LOCKED_(seqcount_mutex, pthread_mutex_t)
SEQCOUNT_LOCKED_(seqcount_spinlock, pthread_spinlock_t)
SEQCOUNT_LOCKED_(seqcount_rwlock, pthread_rwlock_t)
#ifdef __cplusplus
}
#endif
#endif /* SEQCOUNT_LOCKS_ */

/*
 * SEQCOUNT_PICK_(): the function for the type that @s points to, of those that all
 * types have.  SEQCOUNT_WIDE_(): of those for the counter itself.  @s is not
 * evaluated.
 */
#ifdef __cplusplus
#define SEQCOUNT_PICK_(s, function) seqcount_any_##function##_
#define SEQCOUNT_WIDE_(s, function) seqcount_any_##function##_
#else
#define SEQCOUNT_CASE_(type, function) type##_t : type##_##function##_
#ifdef SEQCOUNT_LOCKS_
#define SEQCOUNT_LOCK_CASES_(function)                                                           \
	, SEQCOUNT_CASE_(seqcount_mutex, function), SEQCOUNT_CASE_(seqcount_spinlock, function), \
		SEQCOUNT_CASE_(seqcount_rwlock, function)
#else
#define SEQCOUNT_LOCK_CASES_(function)
#endif
#define SEQCOUNT_OBJECT_(s) (*(__typeof__(&*(s)))0)
#define SEQCOUNT_PICK_(s, function)                                       \
	_Generic(SEQCOUNT_OBJECT_(s), SEQCOUNT_CASE_(seqcount, function), \
		SEQCOUNT_CASE_(seqcount64, function) SEQCOUNT_LOCK_CASES_(function))
#define SEQCOUNT_WIDE_(s, function)                                                 \
	_Generic(SEQCOUNT_OBJECT_(s), SEQCOUNT_CASE_(seqcount64, function), default \
		 : seqcount_##function##_)
#endif
#define SEQCOUNT_READER_(s) SEQCOUNT_PICK_(s, reader)(s)
#define SEQCOUNT_WRITER_(s) SEQCOUNT_PICK_(s, writer)(s)

#endif /* SEQCOUNT_LOCKED_H */
