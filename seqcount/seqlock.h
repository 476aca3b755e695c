/* SPDX-License-Identifier: MIT */
/*
 * Sequence locks: a sequence counter with a mutex of its own, which excludes its
 * writers, and readers too when they would rather wait than read in vain.
 *
 *	write_seqlock(&lock);
 *	seqcount_store(&data, &next, sizeof(next));
 *	write_sequnlock(&lock);
 *
 *	scoped_seqlock_read (&lock, ss_lock)
 *		seqcount_load(&copy, &data, sizeof(copy));
 *
 * The barriers are those of <seqcount/seqcount.h>.  A reader that holds the mutex
 * needs none but the mutex's.
 *
 * The mutex is for the threads of one process; between processes, a seqcount_t
 * beside a mutex that they share, and that is robust, outlives those who die.
 */
#ifndef SEQCOUNT_SEQLOCK_H
#define SEQCOUNT_SEQLOCK_H

#include <seqcount/latch.h>
#include <signal.h>

#ifndef SEQCOUNT_LOCKS_
#error "<seqcount/seqlock.h> needs POSIX's locks: -std=gnu11, or _POSIX_C_SOURCE=200809L"
#endif

/**
 * seqlock_t - a sequence lock
 *
 * Its members belong to this header.
 *
 * Origin: Linux, seqlock_t, whose lock is a spin lock: there a writer is not
 * preempted.
 */
typedef struct seqlock {
	seqcount_t seqcount_;
	pthread_mutex_t lock_;
} seqlock_t;

/**
 * __SEQLOCK_UNLOCKED - initialiser of a seqlock_t
 * @name: the variable it initialises
 *
 * Origin: Linux, __SEQLOCK_UNLOCKED().
 */
#define __SEQLOCK_UNLOCKED(name)                             \
	{                                                    \
		SEQCNT_ZERO(name), PTHREAD_MUTEX_INITIALIZER \
	}

/**
 * DEFINE_SEQLOCK - define a sequence lock
 * @name: the variable's name; static may stand in front
 *
 * Origin: Linux, DEFINE_SEQLOCK().
 */
#define DEFINE_SEQLOCK(name) seqlock_t name = __SEQLOCK_UNLOCKED(name)

/**
 * seqlock_init - initialise a sequence lock
 * @sl: the lock, which nobody else uses yet
 *
 * It holds nothing that would have to be given back.
 *
 * Context: any thread.
 * Ordering: none.
 * Origin: Linux, seqlock_init().
 */
SEQCOUNT_INLINE_ void seqlock_init(seqlock_t *sl)
{
	seqcount_init(&sl->seqcount_);
	pthread_mutex_init(&sl->lock_, NULL);
}

/**
 * read_seqbegin - begin to read without the lock
 * @sl: the lock
 *
 * While a writer is at work it waits: pausing at first, then for the mutex.
 *
 * Context: any thread that does not hold @sl; where a mutex may be taken, and
 * therefore not in a signal handler.  Keeps errno.
 * Ordering: as read_seqcount_begin().
 * Return: the value for read_seqretry(); even.
 * Origin: Linux, read_seqbegin().
 */
SEQCOUNT_INLINE_ unsigned int read_seqbegin(const seqlock_t *sl)
{
	unsigned int start = raw_read_seqcount(&sl->seqcount_);

	/* By way of an integer: a cast that takes const off is warned of by some. */
	if (__builtin_expect((start & 1) != 0, 0))
		return seqcount_mutex_wait_(
			&sl->seqcount_, (pthread_mutex_t *)(uintptr_t)&sl->lock_);
	return start;
}

/**
 * read_seqretry - end a read, and tell whether it was in vain
 * @sl: the lock
 * @start: what read_seqbegin() returned
 *
 * Context, Ordering: as read_seqcount_retry().
 * Return: true when what was read is worthless and is to be read again.
 * Origin: Linux, read_seqretry().
 */
SEQCOUNT_INLINE_ bool read_seqretry(const seqlock_t *sl, unsigned int start)
{
	return read_seqcount_retry(&sl->seqcount_, start);
}

SEQCOUNT_INLINE_ void seqlock_lock_(seqlock_t *sl, const char *site)
{
	seqcount_assert_(!seqcount_mutex_held_(&sl->lock_), site, "its holder takes a lock again");
	pthread_mutex_lock(&sl->lock_);
}

SEQCOUNT_INLINE_ void seqlock_unlock_(seqlock_t *sl, const char *site)
{
	seqcount_assert_(seqcount_mutex_held_(&sl->lock_), site, "a lock is dropped but not held");
	pthread_mutex_unlock(&sl->lock_);
}

SEQCOUNT_INLINE_ void seqlock_write_(seqlock_t *sl, const char *site)
{
	seqlock_lock_(sl, site);
	write_seqcount_begin(&sl->seqcount_);
}

SEQCOUNT_INLINE_ void seqlock_end_(seqlock_t *sl, const char *site)
{
	seqcount_assert_((raw_read_seqcount(&sl->seqcount_) & 1) != 0, site,
		"a write ends that did not begin");
	write_seqcount_end(&sl->seqcount_);
	seqlock_unlock_(sl, site);
}

/**
 * write_seqlock, write_sequnlock - take the lock and begin to write; end that and
 * drop it
 * @sl: the lock
 *
 * Readers without the lock wait from here on: no blocking in it, and no
 * cancellation point.
 *
 * Context: any thread that does not hold @sl; where a mutex may be taken.
 * Ordering: as write_seqcount_begin() and write_seqcount_end().
 * Origin: Linux.
 */
#define write_seqlock(sl)   seqlock_write_((sl), SEQCOUNT_SITE_)
#define write_sequnlock(sl) seqlock_end_((sl), SEQCOUNT_SITE_)

/**
 * read_seqlock_excl, read_sequnlock_excl - take and drop the lock as a reader
 * @sl: the lock
 *
 * Between the two there is no writer and no other reader with the lock, and the
 * data may be read plainly.  Readers without the lock are not disturbed.
 *
 * Context: as write_seqlock().
 * Ordering: that of a mutex.
 * Origin: Linux.
 */
#define read_seqlock_excl(sl)   seqlock_lock_((sl), SEQCOUNT_SITE_)
#define read_sequnlock_excl(sl) seqlock_unlock_((sl), SEQCOUNT_SITE_)

/* Signals are a thread's interrupts. */
SEQCOUNT_INLINE_ void seqlock_block_signals_(sigset_t *flags)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, flags);
}

SEQCOUNT_INLINE_ void seqlock_restore_signals_(const sigset_t *flags)
{
	pthread_sigmask(SIG_SETMASK, flags, NULL);
}

/**
 * write_seqlock_irqsave, write_sequnlock_irqrestore - the same with signals blocked
 * @sl: the lock
 * @flags: a sigset_t lvalue that keeps the signal mask in between
 *
 * For data that a handler on this thread reads by read_seqbegin(), or writes: every
 * thread that writes blocks the signal, or none can be interrupted with the lock
 * held.  Where a handler writes, those that read by read_seqbegin() block it as well,
 * since they take the mutex when they meet a writer for long.  Two system calls.
 *
 * Context: as write_seqlock(); also handlers of a signal that all who write, read
 * with the lock or wait in read_seqbegin() block.
 * Ordering: as write_seqlock() and write_sequnlock().
 * Origin: Linux; its _irq and _bh forms have no counterpart.
 */
#define write_seqlock_irqsave(sl, flags) (seqlock_block_signals_(&(flags)), write_seqlock(sl))
#define write_sequnlock_irqrestore(sl, flags) \
	(write_sequnlock(sl), seqlock_restore_signals_(&(flags)))

/**
 * read_seqlock_excl_irqsave, read_sequnlock_excl_irqrestore - take and drop the lock
 * as a reader, with signals blocked
 * @sl: the lock
 * @flags: as for write_seqlock_irqsave()
 *
 * Context: as write_seqlock_irqsave().
 * Ordering: that of a mutex.
 * Origin: Linux.
 */
#define read_seqlock_excl_irqsave(sl, flags) \
	(seqlock_block_signals_(&(flags)), read_seqlock_excl(sl))
#define read_sequnlock_excl_irqrestore(sl, flags) \
	(read_sequnlock_excl(sl), seqlock_restore_signals_(&(flags)))

#include <seqcount/seqlock-read.h>

#endif /* SEQCOUNT_SEQLOCK_H */
