/* SPDX-License-Identifier: MIT */
/*
 * Sequence counters: readers that write nothing, and find out afterwards
 * whether a writer was at work meanwhile.
 *
 * A writer makes the sequence odd, changes the data and makes it even again.  A
 * reader notes the sequence, copies the data and looks again: when the sequence
 * has changed, the copy is worthless and is taken again.
 *
 *	do {
 *		start = read_seqcount_begin(&seq);
 *		seqcount_load(&copy, &data, sizeof(copy));
 *	} while (read_seqcount_retry(&seq, start));
 *
 * Readers never delay a writer.  Writers exclude each other by means of their
 * own, a lock as a rule.  What a reader has copied means nothing before
 * read_seqcount_retry() has returned false: above all it must not follow a
 * pointer that a writer may free.
 *
 * Any program may include this header; it is all there is, without a library,
 * and is C11 and C++17 for gcc and clang.  <seqcount/seqlock.h> has the counter
 * with a lock of its own, <seqcount/latch.h> the one whose readers never wait.
 *
 * All that follows are macros which evaluate their arguments once.  @s points to a
 * seqcount_t, a seqcount64_t, a seqcount_mutex_t, a seqcount_spinlock_t or a
 * seqcount_rwlock_t.  A value of the sequence, as @start, is an unsigned int; a
 * seqcount64_t's is a uint64_t.
 *
 * With SEQCOUNT_DEBUG defined before it is included, write_seqcount_begin() and
 * write_seqcount_end() report a lock that is not held and a second writer on
 * stderr, and abort.
 */
#ifndef SEQCOUNT_SEQCOUNT_H
#define SEQCOUNT_SEQCOUNT_H

#include <seqcount/locked.h>

/**
 * read_seqcount_begin, raw_read_seqcount_begin, __read_seqcount_begin - begin to
 * read
 * @s: the counter
 *
 * While a writer is at work it waits: pausing at first, then yielding the CPU, or
 * where @s has a lock, taking and dropping that.  The three are the same.
 *
 * Context: any thread.  Not a signal handler that may have interrupted a
 * writer, nor a real-time thread that may have preempted one: the writer cannot
 * go on and the wait has no end.  raw_seqcount_try_begin() is for those, and
 * latches.  Where @s has a lock, any place where that may be taken.  Keeps errno.
 * Ordering: what was written before the value returned is seen by later reads
 * (SQ3).
 * Return: the value for read_seqcount_retry(); even.
 * Origin: Linux.
 */
#define read_seqcount_begin(s)     SEQCOUNT_PICK_(s, begin)(s)
#define raw_read_seqcount_begin(s) read_seqcount_begin(s)
#define __read_seqcount_begin(s)   read_seqcount_begin(s)

/**
 * raw_seqcount_try_begin - begin to read unless a writer is at work
 * @s: the counter
 * @start: an lvalue, which is set
 *
 * Never waits.  Code that cannot let a writer run, such as a signal handler,
 * tries a few times at most and then takes another way.
 *
 * Context: any, signal handlers included.
 * Ordering: when true, as read_seqcount_begin() (SQ3).
 * Return: true when no writer was at work: @start is the value for
 * read_seqcount_retry().  False when one was: @start is of no use.
 * Origin: Linux, raw_seqcount_try_begin().
 */
#define raw_seqcount_try_begin(s, start) ((((start) = raw_read_seqcount(s)) & 1) == 0)

/**
 * raw_read_seqcount, raw_seqcount_begin - look at the sequence without waiting
 * @s: the counter
 *
 * raw_read_seqcount() returns what it is, odd while a writer is at work.
 * raw_seqcount_begin() clears the lowest bit, so that a read that began during a
 * write comes to nothing: for readers that would rather read in vain, and then do
 * something else, than wait.
 *
 * Context: any, signal handlers included.
 * Ordering: as read_seqcount_begin() (SQ3).
 * Return: the value; raw_seqcount_begin()'s is for read_seqcount_retry().
 * Origin: Linux.
 */
#define raw_read_seqcount(s)  SEQCOUNT_WIDE_(s, look)(SEQCOUNT_READER_(s))
#define raw_seqcount_begin(s) SEQCOUNT_WIDE_(s, look_even)(SEQCOUNT_READER_(s))

/**
 * read_seqcount_retry - end a read, and tell whether it was in vain
 * @s: the counter
 * @start: what read_seqcount_begin() or raw_seqcount_begin() returned, or
 * raw_seqcount_try_begin() set
 *
 * Context: any, signal handlers included.
 * Ordering: the reads between begin and here come before it looks (SQ4).
 * Return: true when a writer was at work meanwhile: what was read is worthless
 * and is to be read again, from read_seqcount_begin() on.
 * Origin: Linux, read_seqcount_retry().
 */
#define read_seqcount_retry(s, start) SEQCOUNT_WIDE_(s, retry)(SEQCOUNT_READER_(s), (start))

/**
 * __read_seqcount_retry - the same without ordering
 * @s: the counter
 * @start: as for read_seqcount_retry()
 *
 * For a look between two reads, to give up early; or behind a fence of the
 * caller's own, an acquire fence or a stronger one.
 *
 * Context: any, signal handlers included.
 * Ordering: none.
 * Return: true when the sequence is not @start.
 * Origin: Linux, __read_seqcount_retry().
 */
#define __read_seqcount_retry(s, start) SEQCOUNT_WIDE_(s, changed)(SEQCOUNT_READER_(s), (start))

/**
 * read_seqcount_t_retry, __read_seqcount_t_retry - read_seqcount_retry() and
 * __read_seqcount_retry()
 * @s: the counter
 * @start: as there
 *
 * Context, Ordering, Return: as there.
 * Origin: Linux until 6.1, for a seqcount_t alone.
 */
#define read_seqcount_t_retry(s, start)   read_seqcount_retry(s, start)
#define __read_seqcount_t_retry(s, start) __read_seqcount_retry(s, start)

/**
 * write_seqcount_begin, write_seqcount_begin_nested - begin to write
 * @s: the counter
 * @subclass: of no effect
 *
 * The caller excludes all other writers until after write_seqcount_end(), also
 * those that a signal handler on this thread might bring: it holds the lock that
 * @s has.  Readers wait from here on, so that the shorter the write the better: no
 * blocking in it, and no cancellation point.
 *
 * Context: any in which the caller can exclude other writers.  Never waits.
 * Ordering: the sequence becomes odd before the stores that follow (SQ1).
 * Origin: Linux, where they also check that preemption is off; a thread cannot
 * turn it off.  @subclass is for its lock validator.
 */
#define write_seqcount_begin(s)                  SEQCOUNT_PICK_(s, write)((s), SEQCOUNT_SITE_)
#define write_seqcount_begin_nested(s, subclass) ((void)(subclass), write_seqcount_begin(s))

/**
 * write_seqcount_end - end a write
 * @s: the counter
 *
 * Context: as write_seqcount_begin().
 * Ordering: the stores of the write come before the sequence becomes even (SQ2).
 * Origin: Linux, write_seqcount_end().
 */
#define write_seqcount_end(s) SEQCOUNT_PICK_(s, end)((s), SEQCOUNT_SITE_)

/**
 * raw_write_seqcount_begin, raw_write_seqcount_end - the same, never checked
 * @s: the counter
 *
 * For writers that exclude each other by other means than the lock that @s has.
 * Readers take that lock in vain, and yield.
 *
 * Context, Ordering: as write_seqcount_begin() and write_seqcount_end().
 * Origin: Linux.
 */
#define raw_write_seqcount_begin(s) SEQCOUNT_WIDE_(s, write)(SEQCOUNT_WRITER_(s), NULL)
#define raw_write_seqcount_end(s)   SEQCOUNT_WIDE_(s, end)(SEQCOUNT_WRITER_(s), NULL)

/**
 * raw_write_seqcount_barrier - order two changes for readers
 * @s: the counter
 *
 * A reader that sees any part of what is changed behind it also sees what was
 * changed before, or retries.  No reader waits, and what is changed on either side
 * may be seen half done: each change is one of seqcount_set().
 *
 * Context: as write_seqcount_begin(), outside a write.
 * Ordering: stores before it come before stores behind it, for readers (SQ5).
 * Origin: Linux, raw_write_seqcount_barrier().
 */
#define raw_write_seqcount_barrier(s) SEQCOUNT_WIDE_(s, barrier)(SEQCOUNT_WRITER_(s))

/**
 * write_seqcount_invalidate - make the reads under way retry
 * @s: the counter
 *
 * A read under way retries, unless it ends before the new count has reached it: for
 * all that anybody can tell it has then ended before the call.
 *
 * Context: as write_seqcount_begin(), outside a write.
 * Ordering: stores before it are seen by reads that begin after it (SQ6).
 * Origin: Linux, write_seqcount_invalidate().
 */
#define write_seqcount_invalidate(s) SEQCOUNT_WIDE_(s, invalidate)(SEQCOUNT_WRITER_(s))

/**
 * write_seqcount_recover - take over the write of a writer that died
 * @s: the counter
 *
 * Called by who has just got the lock that excludes the writers, from a robust
 * mutex each time and not only when that says that its owner died: readers of a
 * seqcount_mutex_t may have been told instead.  When it returns true a writer has
 * died in its write and the data are any mixture of old and new: the caller is in
 * a write, changes the data as a whole, and calls write_seqcount_end().
 *
 * Context: as write_seqcount_begin(), outside a write.
 * Ordering: when true, as write_seqcount_begin() (SQ1).
 * Return: true when a write is to be made good; false when the data are whole.
 * Origin: ours.
 */
#define write_seqcount_recover(s) SEQCOUNT_WIDE_(s, recover)(SEQCOUNT_WRITER_(s))

#endif /* SEQCOUNT_SEQCOUNT_H */
