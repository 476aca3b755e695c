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
 * The data are shared without a lock, so both sides go through seqcount_load()
 * and seqcount_store(), which are made of atomic accesses.  The writer may read
 * the data plainly, since nobody else changes them.
 *
 * Any program may include this header; it is all there is, without a library,
 * and is C11 and C++17 for gcc and clang.
 *
 * Barriers.  SQ1 to SQ4 are the places that order anything:
 *
 *	writer                          reader
 *	  sequence = odd                  start = sequence     SQ3: load-acquire
 *	  SQ1: release fence              copy the data
 *	  change the data                 SQ4: acquire fence
 *	  sequence = even                 sequence == start?
 *	       SQ2: store-release
 *
 * SQ2 pairs with SQ3: a reader that starts from an even value sees all that was
 * written before it.  SQ1 pairs with SQ4: a reader that has copied any byte of
 * a later write sees at least that write's odd value when it looks again, and
 * retries.  Neither half can be had from the sequence alone: a release of the
 * odd value would let the data's stores pass up across it, and an acquire of
 * the second look would let the data's loads pass down.
 */
#ifndef SEQCOUNT_SEQCOUNT_H
#define SEQCOUNT_SEQCOUNT_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
#define SEQCOUNT_TSAN_ 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SEQCOUNT_TSAN_ 1
#endif
#endif

/*
 * TSan knows no fences.  Under it each store of the data is a release and each
 * load of them an acquire, which is as right and only slower: a load that gets a
 * later write's value synchronises with that store, so the odd value stored
 * before it happens before the second look that follows the load.
 */
#ifdef SEQCOUNT_TSAN_
#define SEQCOUNT_DATA_LOAD_    __ATOMIC_ACQUIRE
#define SEQCOUNT_DATA_STORE_   __ATOMIC_RELEASE
#define seqcount_fence_(order) ((void)0)
#else
#define SEQCOUNT_DATA_LOAD_    __ATOMIC_RELAXED
#define SEQCOUNT_DATA_STORE_   __ATOMIC_RELAXED
#define seqcount_fence_(order) __atomic_thread_fence(order)
#endif

#define SEQCOUNT_INLINE_  static inline __attribute__((always_inline))
#define SEQCOUNT_OUTLINE_ static __attribute__((noinline, cold, unused))

/**
 * seqcount_t - a sequence counter
 *
 * Odd while a writer is at work.  32 bits, and wraps: a reader that sleeps
 * between its two looks while exactly a multiple of 2^31 writes are made does
 * not notice them.  Its member belongs to this header.
 *
 * Origin: Linux, seqcount_t.
 */
typedef struct seqcount {
	unsigned int sequence_;
} seqcount_t;

/**
 * SEQCNT_ZERO - initialiser of a seqcount_t
 * @name: the variable it initialises
 *
 *	static seqcount_t seq = SEQCNT_ZERO(seq);
 *
 * Origin: Linux, SEQCNT_ZERO().
 */
#define SEQCNT_ZERO(name) \
	{                 \
		0         \
	}

/**
 * seqcount_init - initialise a sequence counter
 * @s: the counter, which nobody else uses yet
 *
 * Context: any.
 * Ordering: none; what publishes the object to other threads orders this too.
 * Origin: Linux, seqcount_init().
 */
SEQCOUNT_INLINE_ void seqcount_init(seqcount_t *s)
{
	__atomic_store_n(&s->sequence_, 0, __ATOMIC_RELAXED);
}

/* The first look of a reader. */
SEQCOUNT_INLINE_ unsigned int seqcount_look_(const seqcount_t *s)
{
	/* SQ3, pairs with SQ2. */
	return __atomic_load_n(&s->sequence_, __ATOMIC_ACQUIRE);
}

SEQCOUNT_INLINE_ void seqcount_pause_(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#else
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * Wait until the sequence is even.  A writer needs a few nanoseconds, unless it
 * was preempted, perhaps by this very thread: then it needs the CPU.
 */
SEQCOUNT_OUTLINE_ unsigned int seqcount_wait_(const seqcount_t *s)
{
	unsigned int pauses = 64;
	unsigned int start;

	while ((start = seqcount_look_(s)) & 1) {
		if (pauses == 0) {
			sched_yield();
			continue;
		}
		pauses--;
		seqcount_pause_();
	}
	return start;
}

/**
 * read_seqcount_begin - begin to read
 * @s: the counter
 *
 * While a writer is at work it waits: pausing at first, then yielding the CPU.
 *
 * Context: any thread.  Not a signal handler that may have interrupted a
 * writer, nor a real-time thread that may have preempted one: the writer cannot
 * go on and the wait has no end.  raw_seqcount_try_begin() is for those.  Keeps
 * errno.
 * Ordering: what was written before the value returned is seen by later reads
 * (SQ3).
 * Return: the value for read_seqcount_retry(); even.
 * Origin: Linux, read_seqcount_begin().
 */
SEQCOUNT_INLINE_ unsigned int read_seqcount_begin(const seqcount_t *s)
{
	unsigned int start = seqcount_look_(s);

	if (__builtin_expect(start & 1, 0))
		return seqcount_wait_(s);
	return start;
}

/**
 * raw_seqcount_try_begin - begin to read unless a writer is at work
 * @s: the counter
 * @start: an unsigned int lvalue, which is set
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
#define raw_seqcount_try_begin(s, start) ((((start) = seqcount_look_(s)) & 1) == 0)

/**
 * read_seqcount_retry - end a read, and tell whether it was in vain
 * @s: the counter
 * @start: what read_seqcount_begin() returned, or raw_seqcount_try_begin() set
 *
 * Context: any, signal handlers included.
 * Ordering: the reads between begin and here come before it looks (SQ4).
 * Return: true when a writer was at work meanwhile: what was read is worthless
 * and is to be read again, from read_seqcount_begin() on.
 * Origin: Linux, read_seqcount_retry().
 */
SEQCOUNT_INLINE_ bool read_seqcount_retry(const seqcount_t *s, unsigned int start)
{
	seqcount_fence_(__ATOMIC_ACQUIRE); /* SQ4, pairs with SQ1. */
	return __builtin_expect(__atomic_load_n(&s->sequence_, __ATOMIC_RELAXED) != start, 0);
}

/**
 * write_seqcount_begin - begin to write
 * @s: the counter
 *
 * The caller excludes all other writers until after write_seqcount_end(), also
 * those that a signal handler on this thread might bring.  Readers wait from
 * here on, so that the shorter the write the better: no blocking in it.
 *
 * Context: any in which the caller can exclude other writers.  Never waits.
 * Ordering: the sequence becomes odd before the stores that follow (SQ1).
 * Origin: Linux, write_seqcount_begin(), which also checks that preemption is
 * off; a thread cannot turn it off.
 */
SEQCOUNT_INLINE_ void write_seqcount_begin(seqcount_t *s)
{
	unsigned int sequence = __atomic_load_n(&s->sequence_, __ATOMIC_RELAXED);

	__atomic_store_n(&s->sequence_, sequence + 1, __ATOMIC_RELAXED);
	seqcount_fence_(__ATOMIC_RELEASE); /* SQ1, pairs with SQ4. */
}

/**
 * write_seqcount_end - end a write
 * @s: the counter
 *
 * Context: as write_seqcount_begin().
 * Ordering: the stores of the write come before the sequence becomes even (SQ2).
 * Origin: Linux, write_seqcount_end().
 */
SEQCOUNT_INLINE_ void write_seqcount_end(seqcount_t *s)
{
	unsigned int sequence = __atomic_load_n(&s->sequence_, __ATOMIC_RELAXED);

	/* SQ2, pairs with SQ3. */
	__atomic_store_n(&s->sequence_, sequence + 1, __ATOMIC_RELEASE);
}

/*
 * The copy helpers move the shared object by aligned words, and what is left at
 * its ends by smaller pieces.  Each piece is one instruction; one need not be
 * consistent with the next, since the sequence tells about them all.  The
 * private object has any alignment.
 */
#define SEQCOUNT_PIECE_(name, type)                                                             \
	typedef type name##_t_ __attribute__((may_alias));                                      \
                                                                                                \
	SEQCOUNT_INLINE_ void name##_(char *to, const char *from, bool load)                    \
	{                                                                                       \
		type piece;                                                                     \
                                                                                                \
		if (load) {                                                                     \
			piece = __atomic_load_n(                                                \
				(const name##_t_ *)(const void *)from, SEQCOUNT_DATA_LOAD_);    \
			__builtin_memcpy(to, &piece, sizeof(piece));                            \
		} else {                                                                        \
			__builtin_memcpy(&piece, from, sizeof(piece));                          \
			__atomic_store_n((name##_t_ *)(void *)to, piece, SEQCOUNT_DATA_STORE_); \
		}                                                                               \
	}

SEQCOUNT_PIECE_(seqcount_word, uintptr_t)
SEQCOUNT_PIECE_(seqcount_u32, uint32_t)
SEQCOUNT_PIECE_(seqcount_u16, uint16_t)
SEQCOUNT_PIECE_(seqcount_u8, uint8_t)

#define SEQCOUNT_WORD_ sizeof(uintptr_t)

/*
 * The shared side, @from when @load, is aligned to a word.  A size that is known
 * when compiling, and is below eight words, leaves no branch.
 */
SEQCOUNT_INLINE_ void seqcount_copy_aligned_(char *to, const char *from, size_t n, bool load)
{
	size_t at = 0;

	for (; n - at >= 4 * SEQCOUNT_WORD_; at += 4 * SEQCOUNT_WORD_) {
		seqcount_word_(to + at, from + at, load);
		seqcount_word_(to + at + SEQCOUNT_WORD_, from + at + SEQCOUNT_WORD_, load);
		seqcount_word_(to + at + 2 * SEQCOUNT_WORD_, from + at + 2 * SEQCOUNT_WORD_, load);
		seqcount_word_(to + at + 3 * SEQCOUNT_WORD_, from + at + 3 * SEQCOUNT_WORD_, load);
	}
	if ((n & (2 * SEQCOUNT_WORD_)) != 0) {
		seqcount_word_(to + at, from + at, load);
		seqcount_word_(to + at + SEQCOUNT_WORD_, from + at + SEQCOUNT_WORD_, load);
		at += 2 * SEQCOUNT_WORD_;
	}
	if ((n & SEQCOUNT_WORD_) != 0) {
		seqcount_word_(to + at, from + at, load);
		at += SEQCOUNT_WORD_;
	}
	if (SEQCOUNT_WORD_ > 4 && (n & 4) != 0) {
		seqcount_u32_(to + at, from + at, load);
		at += 4;
	}
	if ((n & 2) != 0) {
		seqcount_u16_(to + at, from + at, load);
		at += 2;
	}
	if ((n & 1) != 0)
		seqcount_u8_(to + at, from + at, load);
}

/* The same for a shared side of any alignment. */
SEQCOUNT_INLINE_ void seqcount_copy_(char *to, const char *from, size_t n, bool load)
{
	size_t head = -(load ? (uintptr_t)from : (uintptr_t)to) % SEQCOUNT_WORD_;

	for (; head != 0 && n != 0; head--, n--)
		seqcount_u8_(to++, from++, load);
	seqcount_copy_aligned_(to, from, n, load);
}

SEQCOUNT_OUTLINE_ void seqcount_load_any_(void *dst, const void *src, size_t n)
{
	seqcount_copy_((char *)dst, (const char *)src, n, true);
}

SEQCOUNT_OUTLINE_ void seqcount_store_any_(void *dst, const void *src, size_t n)
{
	seqcount_copy_((char *)dst, (const char *)src, n, false);
}

SEQCOUNT_INLINE_ void seqcount_load_(void *dst, const void *src, size_t n, size_t align)
{
	if (align >= SEQCOUNT_WORD_ || (uintptr_t)src % SEQCOUNT_WORD_ == 0)
		seqcount_copy_aligned_((char *)dst, (const char *)src, n, true);
	else
		seqcount_load_any_(dst, src, n);
}

SEQCOUNT_INLINE_ void seqcount_store_(void *dst, const void *src, size_t n, size_t align)
{
	if (align >= SEQCOUNT_WORD_ || (uintptr_t)dst % SEQCOUNT_WORD_ == 0)
		seqcount_copy_aligned_((char *)dst, (const char *)src, n, false);
	else
		seqcount_store_any_(dst, src, n);
}

/*
 * The alignment that a pointer's type promises; 1 for a pointer to void.  @p is
 * not evaluated.  To test the address of every object instead would make a read
 * of 16 bytes cost half as much again.
 */
#ifdef __cplusplus
extern "C++" {
template <typename T>
char (&seqcount_align_(const T *))[alignof(T)];
char (&seqcount_align_(const void *))[1];
}
#define SEQCOUNT_ALIGN_(p) sizeof(seqcount_align_(p))
#else
#define SEQCOUNT_ALIGN_(p) \
	__alignof__(*_Generic((p), void *: (char *)0, const void *: (const char *)0, default: (p)))
#endif

/**
 * seqcount_load - copy shared data into a private object
 * @dst: the private object
 * @src: the shared data: aligned as the pointer's type says, so that data of any
 * alignment are given as a pointer to void or char
 * @n: bytes
 *
 * For readers, between begin and retry.  Free of data races with
 * seqcount_store(); the copy may be a mixture of old and new until
 * read_seqcount_retry() says otherwise.  With a constant @n and a type of at
 * least a word's alignment it is a few moves, inline.
 *
 * Context: any, signal handlers included.
 * Ordering: none of its own, see read_seqcount_retry().
 * Origin: Linux reads the data plainly or by READ_ONCE() here.
 */
#define seqcount_load(dst, src, n) seqcount_load_((dst), (src), (n), SEQCOUNT_ALIGN_(src))

/**
 * seqcount_store - copy a private object into shared data
 * @dst: the shared data, with the alignment of @src in seqcount_load()
 * @src: the private object
 * @n: bytes
 *
 * For writers, between write_seqcount_begin() and write_seqcount_end().
 *
 * Context: as write_seqcount_begin().
 * Ordering: none of its own, see write_seqcount_begin().
 * Origin: Linux writes the data plainly or by WRITE_ONCE() here.
 */
#define seqcount_store(dst, src, n) seqcount_store_((dst), (src), (n), SEQCOUNT_ALIGN_(dst))

#endif /* SEQCOUNT_SEQCOUNT_H */
