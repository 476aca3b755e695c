/* SPDX-License-Identifier: MIT */
/*
 * The reader loops of one adapter.  It defines, before it includes this file,
 *
 *	PEER_SELF		declarations that begin a loop; without it none
 *	PEER_TOKEN		the type of what a lock returns and its unlock takes
 *	PEER_LOCK()		begin a section; an expression of that type
 *	PEER_UNLOCK(token)	end it
 *	PEER_OUTSIDE()		what readers do after a section; without it nothing,
 *				and in the loops of empty sections nothing either
 *
 * and names in its struct peer the loops that are to be measured.  Macros, since
 * readers are to be inlined where a C program would have them inlined.
 */
#ifndef BENCH_PEER_LOOPS_H
#define BENCH_PEER_LOOPS_H

#include "bench/objects.h"
#include "bench/reader.h"

#ifndef PEER_SELF
#define PEER_SELF
#endif
#ifndef PEER_OUTSIDE
#define PEER_OUTSIDE() (void)0
#endif

typedef PEER_TOKEN peer_token;

/* Keeps the compiler from dropping a loop of nothing. */
static inline int peer_keep(void)
{
	__asm__ volatile("" : : : "memory");
	return 0;
}

/* An adapter need not have all of them. */
#define PEER_LOOP __attribute__((unused)) static

PEER_LOOP void read_batch(long n)
{
	PEER_SELF
	for (; n > 0; n--) {
		peer_token token = PEER_LOCK();

		PEER_UNLOCK(token);
	}
}

PEER_LOOP void read_nested_2(long n)
{
	PEER_SELF
	for (; n > 0; n--) {
		peer_token a = PEER_LOCK(), b = PEER_LOCK();

		PEER_UNLOCK(b);
		PEER_UNLOCK(a);
	}
}

PEER_LOOP void read_nested_8(long n)
{
	PEER_SELF
	for (; n > 0; n--) {
		peer_token a = PEER_LOCK(), b = PEER_LOCK(), c = PEER_LOCK(), d = PEER_LOCK();
		peer_token e = PEER_LOCK(), f = PEER_LOCK(), g = PEER_LOCK(), h = PEER_LOCK();

		PEER_UNLOCK(h);
		PEER_UNLOCK(g);
		PEER_UNLOCK(f);
		PEER_UNLOCK(e);
		PEER_UNLOCK(d);
		PEER_UNLOCK(c);
		PEER_UNLOCK(b);
		PEER_UNLOCK(a);
	}
}

PEER_LOOP void read_length(long n, unsigned long spins)
{
	PEER_SELF
	for (; n > 0; n--) {
		peer_token token = PEER_LOCK();

		spin(spins);
		PEER_UNLOCK(token);
	}
}

PEER_LOOP unsigned long read_object(long n)
{
	unsigned long bad = 0;
	PEER_SELF

	for (; n > 0; n--) {
		peer_token token = PEER_LOCK();

		bad += !object_is_live();
		PEER_UNLOCK(token);
		PEER_OUTSIDE();
	}
	return bad;
}

PEER_LOOP unsigned long read_hash(long n)
{
	static uint32_t state;
	unsigned long bad = 0;
	PEER_SELF

	for (; n > 0; n--) {
		uint32_t key = hash_next_key(&state);
		peer_token token = PEER_LOCK();

		bad += !hash_lookup(key);
		PEER_UNLOCK(token);
		PEER_OUTSIDE();
	}
	return bad;
}

PEER_LOOP void read_loop(struct reader *reader)
{
	PEER_SELF
	while (reader_goes_on(reader)) {
		peer_token token = PEER_LOCK();

		spend_ns(reader->in_ns);
		PEER_UNLOCK(token);
		PEER_OUTSIDE();
		reader_outside(reader);
	}
}

/* Of a struct peer: the loops that show how the cost of a section grows. */
#define PEER_SWEEPS                                                                     \
	.shared = true, .read_nested_2 = read_nested_2, .read_nested_8 = read_nested_8, \
	.read_length = read_length, .read_object = read_object

#endif /* BENCH_PEER_LOOPS_H */
