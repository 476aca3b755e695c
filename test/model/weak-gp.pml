/* SPDX-License-Identifier: MIT */
/*
 * A grace period on C11's memory: the letters of srcu/gp.c that x86 gives away.
 * One section, an updater, a third thread that has nothing but a full fence, and
 * a passer whose section comes and goes, and moves to another CPU in between.
 *
 *	section         updater                 third
 *	  seen = y        y = 1                   z = 1
 *	  x = 1           grace period            full fence
 *	                  after = x, other = z    far = x
 *
 * A section that has not seen y is one that was waited for: x is seen behind it,
 * and not only by the updater.
 */
#define THREADS 4
#define SECTION 0
#define UPDATER 1
#define THIRD   2
#define PASSER  3

/* Counters by CPU: the section's, the one the passer comes from, and goes to. */
#define LOCATIONS 7
#define LOCKS     0
#define UNLOCKS   1
#define LOCKS_2   2
#define UNLOCKS_3 3
#define X         4
#define Y         5
#define Z         6
#define STORES    1

#include "c11.pml"

#ifdef NO_R
#define R 0
#else
#define R 1
#endif
#ifdef NO_U
#define U 0
#else
#define U 1
#endif

bool seen, after, other, far;
byte finished;

active proctype section()
{
	C11_LOCALS;

	add_one(SECTION, LOCKS, 0);
#if defined(FENCED) && !defined(NO_B)
	full_fence(SECTION); /* B */
#endif
	load(SECTION, Y, 0, seen);
	store(SECTION, X, 1, 0);
	add_one(SECTION, UNLOCKS, R);
	finished++
}

active proctype passer()
{
	C11_LOCALS;

	add_one(PASSER, LOCKS_2, 0);
#if defined(FENCED) && !defined(NO_B)
	full_fence(PASSER);
#endif
	add_one(PASSER, UNLOCKS_3, R);
	finished++
}

active proctype updater()
{
	byte unlocks, locks, more;
	C11_LOCALS;

	store(UPDATER, Y, 1, 0);
	/* S and M; membarrier() begins and ends with a full fence of the caller's. */
#ifndef NO_M
	full_fence(UPDATER);
#ifndef FENCED
	full_fence(SECTION);
	full_fence(PASSER);
	full_fence(THIRD);
	full_fence(UPDATER);
#endif
#endif
	do
	:: load(UPDATER, UNLOCKS, U, unlocks);
	   load(UPDATER, UNLOCKS_3, U, more);
	   unlocks = unlocks + more;
	   load(UPDATER, LOCKS, 0, locks);
	   load(UPDATER, LOCKS_2, 0, more);
	   locks = locks + more;
	   if
	   :: unlocks == locks -> break
	   :: else
	   fi
	od;
#ifndef NO_F
	full_fence(UPDATER); /* F */
#endif
	load(UPDATER, X, 0, after);
	load(UPDATER, Z, 0, other);
	finished++
}

active proctype third()
{
	C11_LOCALS;

	store(THIRD, Z, 1, 0);
	full_fence(THIRD);
	load(THIRD, X, 0, far);
	finished++
}

active proctype judge()
{
	finished == 4;
	assert(seen || after);
	assert(seen || other || far)
}
