/* SPDX-License-Identifier: MIT */
/*
 * Sequence counters on C11's memory: SQ1 to SQ6 of seqcount/counter.h, and SL1 to
 * SL4 of seqcount/latch.h.  Two fields, that are equal after each write; a reader
 * that tries once, and a retry is no news.
 *
 *	default     SQ1 to SQ4: two writes
 *	BARRIER     SQ5: write a; raw_write_seqcount_barrier(); write b
 *	INVALIDATE  SQ6: write a and b; write_seqcount_invalidate()
 *	LATCH       SL1 to SL4: two writes of two copies
 */
#define THREADS 2
#define WRITER  0
#define READER  1

#define LOCATIONS 5
#define SEQUENCE  0
#define A(copy)   (1 + (copy))
#define B(copy)   (3 + (copy))
#define STORES    4

#include "c11.pml"

#ifdef NO_SQ2
#define SQ2 0
#else
#define SQ2 1
#endif
#ifdef NO_SQ3
#define SQ3 0
#else
#define SQ3 1
#endif
#ifdef NO_SQ6
#define SQ6 0
#else
#define SQ6 1
#endif
#ifdef NO_SL1
#define SL1 0
#else
#define SL1 1
#endif

inline write(copy, what)
{
	store(WRITER, A(copy), what, 0);
	store(WRITER, B(copy), what, 0)
}

inline write_counted(what)
{
	add_one(WRITER, SEQUENCE, 0);
#ifndef NO_SQ1
	release_fence(WRITER); /* SQ1 */
#endif
	write(0, what);
	add_one(WRITER, SEQUENCE, SQ2)
}

/* raw_write_seqcount_latch() */
inline turn()
{
	add_one(WRITER, SEQUENCE, SL1);
#ifndef NO_SL2
	release_fence(WRITER) /* SL2 */
#endif
}

active proctype writer()
{
	C11_LOCALS;

#if defined(BARRIER)
	store(WRITER, A(0), 1, 0);
	add_one(WRITER, SEQUENCE, 0);
#ifndef NO_SQ5
	release_fence(WRITER); /* SQ5 */
#endif
	add_one(WRITER, SEQUENCE, 0);
	store(WRITER, B(0), 1, 0)
#elif defined(INVALIDATE)
	write(0, 1);
	store(WRITER, SEQUENCE, 2, SQ6) /* SQ6 */
#elif defined(LATCH)
	turn();
	write(0, 1);
	turn();
	write(1, 1);
	turn();
	write(0, 2);
	turn();
	write(1, 2)
#else
	write_counted(1);
	write_counted(2)
#endif
}

active proctype reader()
{
	byte start, again, copy, a, b;
	C11_LOCALS;

	load(READER, SEQUENCE, SQ3, start); /* SQ3, SL3 */
#ifdef LATCH
	copy = start % 2;
#endif
	load(READER, A(copy), 0, a);
	load(READER, B(copy), 0, b);
#ifndef NO_SQ4
	acquire_fence(READER); /* SQ4, SL4 */
#endif
	load(READER, SEQUENCE, 0, again);
	if
	:: start != again -> skip
#ifndef LATCH
	:: start % 2 == 1 -> skip
#endif
	:: else ->
#if defined(BARRIER)
		assert(a >= b && (start == 0 || a == 1))
#elif defined(INVALIDATE)
		assert(start == 0 || (a == 1 && b == 1))
#else
		assert(a == start / 2 && b == start / 2)
#endif
	fi
}
