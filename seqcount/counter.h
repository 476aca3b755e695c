/* SPDX-License-Identifier: MIT */
/*
 * The counter itself, 32 and 64 bits wide, and every access to it with its
 * barriers.  Part of <seqcount/seqcount.h>, which has the interface.
 *
 * Barriers.  SQ1 to SQ6 are the places that order anything:
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
 *
 *	raw_write_seqcount_barrier()    write_seqcount_invalidate()
 *	  change some data                change the data
 *	  sequence = odd                  sequence += 2
 *	  SQ5: release fence                   SQ6: store-release
 *	  sequence = even
 *	  change other data
 *
 * SQ5 pairs with SQ3, as SQ2 does: a reader that starts from this even value, or
 * a later one, sees what was changed before; and with SQ4, as SQ1 does: a reader
 * that has copied any byte of what is changed behind it sees the odd value or a
 * later one, and retries unless it started there.  SQ6 pairs with SQ3.
 */
#ifndef SEQCOUNT_COUNTER_H
#define SEQCOUNT_COUNTER_H

#include <sched.h>
#include <seqcount/data.h>

/*
 * A function for one type of counter.  In C the type is part of its name, and
 * SEQCOUNT_PICK_() chooses; in C++ the functions are overloads.
 */
#ifdef __cplusplus
#define SEQCOUNT_FUNCTION_(type, function) seqcount_any_##function##_
#else
#define SEQCOUNT_FUNCTION_(type, function) type##_##function##_
#endif

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
 * seqcount64_t - a sequence counter of 64 bits
 *
 * For readers that may be stopped for long between their two looks, as by
 * SIGSTOP or a debugger: 2^31 writes of 10 ns take 21 seconds, 2^63 take
 * 2900 years.  A reader's value is a uint64_t.  A machine that cannot load and
 * store 64 bits in one instruction needs libatomic.
 *
 * Origin: ours.
 */
typedef struct seqcount64 {
	uint64_t sequence_ __attribute__((aligned(8)));
} seqcount64_t;

/**
 * SEQCNT_ZERO, SEQCNT64_ZERO - initialisers of a seqcount_t and a seqcount64_t
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
#define SEQCNT64_ZERO(name) SEQCNT_ZERO(name)

/**
 * seqcount_init, seqcount64_init - initialise a sequence counter
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

SEQCOUNT_INLINE_ void seqcount64_init(seqcount64_t *s)
{
	__atomic_store_n(&s->sequence_, 0, __ATOMIC_RELAXED);
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

/* How often a reader pauses before it takes a writer for preempted. */
#define SEQCOUNT_PAUSES_ 64

/*
 * Debug mode.  A site is the place of a call, or NULL for a raw one, of which
 * nothing is checked.
 */
#ifdef SEQCOUNT_DEBUG
#include <stdio.h>
#include <stdlib.h>

#define SEQCOUNT_STRING2_(x) #x
#define SEQCOUNT_STRING_(x)  SEQCOUNT_STRING2_(x)
#define SEQCOUNT_SITE_       __FILE__ ":" SEQCOUNT_STRING_(__LINE__)

SEQCOUNT_INLINE_ void seqcount_assert_(bool holds, const char *site, const char *complaint)
{
	if (holds || site == NULL)
		return;
	fprintf(stderr, "%s: seqcount: %s\n", site, complaint);
	abort();
}

/* In one access, so that of two writers at once one is found out. */
#define SEQCOUNT_MAKE_ODD_(p, was) ((was) = __atomic_fetch_or((p), 1, __ATOMIC_RELAXED))
#else
#define SEQCOUNT_SITE_                           NULL
#define seqcount_assert_(holds, site, complaint) ((void)(site))
#define SEQCOUNT_MAKE_ODD_(p, was)                       \
	((was) = __atomic_load_n((p), __ATOMIC_RELAXED), \
		__atomic_store_n((p), (was) | 1, __ATOMIC_RELAXED))
#endif

/*
 * What a counter can do.  look: the first look of a reader.  wait: until the
 * sequence is even; a writer needs a few nanoseconds, unless it was preempted,
 * perhaps by this very thread: then it needs the CPU.  write: begin a write.  A
 * sequence that is odd already, because a writer died, stays as it is: readers
 * that began before have a lower value and retry all the same.
 */
#define SEQCOUNT_COUNTER_(type, value_t)                                                          \
	SEQCOUNT_INLINE_ const type##_t *SEQCOUNT_FUNCTION_(type, reader)(const type##_t *s)      \
	{                                                                                         \
		return s;                                                                         \
	}                                                                                         \
	SEQCOUNT_INLINE_ type##_t *SEQCOUNT_FUNCTION_(type, writer)(type##_t * s)                 \
	{                                                                                         \
		return s;                                                                         \
	}                                                                                         \
	SEQCOUNT_INLINE_ value_t SEQCOUNT_FUNCTION_(type, look)(const type##_t *s)                \
	{                                                                                         \
		return __atomic_load_n(&s->sequence_, __ATOMIC_ACQUIRE); /* SQ3 */                \
	}                                                                                         \
	SEQCOUNT_INLINE_ value_t SEQCOUNT_FUNCTION_(type, look_even)(const type##_t *s)           \
	{                                                                                         \
		return SEQCOUNT_FUNCTION_(type, look)(s) & ~(value_t)1;                           \
	}                                                                                         \
	SEQCOUNT_OUTLINE_ value_t SEQCOUNT_FUNCTION_(type, wait)(const type##_t *s)               \
	{                                                                                         \
		unsigned int pauses = SEQCOUNT_PAUSES_;                                           \
		value_t start;                                                                    \
                                                                                                  \
		while ((start = SEQCOUNT_FUNCTION_(type, look)(s)) & 1) {                         \
			if (pauses == 0) {                                                        \
				sched_yield();                                                    \
				continue;                                                         \
			}                                                                         \
			pauses--;                                                                 \
			seqcount_pause_();                                                        \
		}                                                                                 \
		return start;                                                                     \
	}                                                                                         \
	SEQCOUNT_INLINE_ value_t SEQCOUNT_FUNCTION_(type, begin)(const type##_t *s)               \
	{                                                                                         \
		value_t start = SEQCOUNT_FUNCTION_(type, look)(s);                                \
                                                                                                  \
		if (__builtin_expect((start & 1) != 0, 0))                                        \
			return SEQCOUNT_FUNCTION_(type, wait)(s);                                 \
		return start;                                                                     \
	}                                                                                         \
	SEQCOUNT_INLINE_ bool SEQCOUNT_FUNCTION_(type, changed)(const type##_t *s, value_t start) \
	{                                                                                         \
		value_t now = __atomic_load_n(&s->sequence_, __ATOMIC_RELAXED);                   \
                                                                                                  \
		return __builtin_expect(now != start, 0);                                         \
	}                                                                                         \
	SEQCOUNT_INLINE_ bool SEQCOUNT_FUNCTION_(type, retry)(const type##_t *s, value_t start)   \
	{                                                                                         \
		seqcount_fence_(__ATOMIC_ACQUIRE); /* SQ4 */                                      \
		return SEQCOUNT_FUNCTION_(type, changed)(s, start);                               \
	}                                                                                         \
	SEQCOUNT_INLINE_ void SEQCOUNT_FUNCTION_(type, write)(type##_t * s, const char *site)     \
	{                                                                                         \
		value_t was;                                                                      \
                                                                                                  \
		SEQCOUNT_MAKE_ODD_(&s->sequence_, was);                                           \
		seqcount_assert_((was & 1) == 0, site,                                            \
			"a write begins inside another, or after one that died");                 \
		seqcount_fence_(__ATOMIC_RELEASE); /* SQ1 */                                      \
	}                                                                                         \
	SEQCOUNT_INLINE_ void SEQCOUNT_FUNCTION_(type, end)(type##_t * s, const char *site)       \
	{                                                                                         \
		value_t was = __atomic_load_n(&s->sequence_, __ATOMIC_RELAXED);                   \
                                                                                                  \
		seqcount_assert_((was & 1) != 0, site, "a write ends that did not begin");        \
		__atomic_store_n(&s->sequence_, was + 1, __ATOMIC_RELEASE); /* SQ2 */             \
	}                                                                                         \
	SEQCOUNT_INLINE_ bool SEQCOUNT_FUNCTION_(type, recover)(type##_t * s)                     \
	{                                                                                         \
		if ((__atomic_load_n(&s->sequence_, __ATOMIC_RELAXED) & 1) == 0)                  \
			return false;                                                             \
		SEQCOUNT_FUNCTION_(type, write)(s, NULL);                                         \
		return true;                                                                      \
	}                                                                                         \
	SEQCOUNT_INLINE_ void SEQCOUNT_FUNCTION_(type, barrier)(type##_t * s)                     \
	{                                                                                         \
		value_t was = __atomic_load_n(&s->sequence_, __ATOMIC_RELAXED);                   \
                                                                                                  \
		__atomic_store_n(&s->sequence_, was + 1, __ATOMIC_RELAXED);                       \
		seqcount_fence_(__ATOMIC_RELEASE); /* SQ5 */                                      \
		__atomic_store_n(&s->sequence_, was + 2, SEQCOUNT_DATA_STORE_);                   \
	}                                                                                         \
	SEQCOUNT_INLINE_ void SEQCOUNT_FUNCTION_(type, invalidate)(type##_t * s)                  \
	{                                                                                         \
		value_t was = __atomic_load_n(&s->sequence_, __ATOMIC_RELAXED);                   \
                                                                                                  \
		__atomic_store_n(&s->sequence_, was + 2, __ATOMIC_RELEASE); /* SQ6 */             \
	}

#ifdef __cplusplus
extern "C++" {
#endif
SEQCOUNT_COUNTER_(seqcount, unsigned int)
SEQCOUNT_COUNTER_(seqcount64, uint64_t)
#ifdef __cplusplus
}
#endif

#endif /* SEQCOUNT_COUNTER_H */
