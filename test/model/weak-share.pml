/* SPDX-License-Identifier: MIT */
/*
 * Grace periods that callers share, on C11's memory: what started and done order
 * (srcu/gp.c).  A section, and callers each of whom leads or follows.
 *
 *	section           caller n
 *	  seen[n] = y[n]    y[n] = 1
 *	  x = 1             grace period: led, or seen to be done
 *	                    after = x
 */
#ifndef CALLERS
#define CALLERS 2
#endif
#define THREADS (CALLERS + 1)
#define SECTION CALLERS

#define LOCATIONS (CALLERS + 5)
#define Y(n)      (n)
#define LOCKS     (CALLERS + 0)
#define UNLOCKS   (CALLERS + 1)
#define X         (CALLERS + 2)
#define STARTED   (CALLERS + 3)
#define DONE      (CALLERS + 4)
#define STORES    CALLERS

#include "c11.pml"

#ifdef STARTED_RELAXED
#define STARTED_ORDER 0
#else
#define STARTED_ORDER 1
#endif
#ifdef NO_D_RELEASE
#define D_RELEASE 0
#else
#define D_RELEASE 1
#endif
#ifdef D_LOAD_RELAXED
#define D_ACQUIRE 0
#else
#define D_ACQUIRE 1
#endif

bool held;
bool seen[CALLERS], after[CALLERS];
byte finished;

active proctype section()
{
	byte n;
	C11_LOCALS;

	add_one(SECTION, LOCKS, 0);
#ifdef FENCED
	full_fence(SECTION); /* B */
#endif
	do
	:: n < CALLERS -> load(SECTION, Y(n), 0, seen[n]); n++
	:: else -> break
	od;
	store(SECTION, X, 1, 0);
	add_one(SECTION, UNLOCKS, 1);
	finished++
}

/*
 * M, and the wait for who was inside.  A membarrier is a full fence on each thread, the
 * section first or last, between two of the caller's own; in a fenced domain M is the
 * caller's own alone.
 */
inline wait_for_readers()
{
#ifndef NO_M
	full_fence(self);
#endif
#ifndef FENCED
	if
	:: full_fence(SECTION); first = true
	:: true
	fi;
	m = 0;
	do
	:: m < CALLERS -> full_fence(m); m++
	:: else -> break
	od;
	m = 0;
	if
	:: !first -> full_fence(SECTION)
	:: else
	fi;
	first = false;
	full_fence(self);
#endif
	do
	:: load(self, UNLOCKS, 1, unlocks);
	   load(self, LOCKS, 0, locks);
	   if
	   :: unlocks == locks -> break
	   :: else
	   fi
	od
}

inline lead()
{
	do
	:: load(self, DONE, 1, done);
	   if
	   :: done >= number -> break
	   :: else
	   fi;
#ifdef START_AFTER_M
	   wait_for_readers();
	   store(self, STARTED, done + 1, STARTED_ORDER);
#else
	   store(self, STARTED, done + 1, STARTED_ORDER);
	   wait_for_readers(); /* M */
#endif
	   store(self, DONE, done + 1, D_RELEASE) /* D */
	od
}

proctype caller(byte self)
{
	byte number, done, unlocks, locks, m;
	bool first;
	C11_LOCALS;

	store(self, Y(self), 1, 0);
#ifndef NO_S
	full_fence(self); /* S */
#endif
	load(self, STARTED, STARTED_ORDER, number);
	number++;
	do
	:: load(self, DONE, D_ACQUIRE, done); /* D */
	   if
	   :: done >= number -> break
	   :: else
	   fi
	:: atomic { !held -> held = true; enter(self) };
	   lead();
	   atomic { leave(self); held = false };
	   break
	od;
#ifndef NO_F
	full_fence(self); /* F */
#endif
	load(self, X, 0, after[self]);
	finished++
}

init {
	byte n;

	atomic {
		do
		:: n < CALLERS -> run caller(n); n++
		:: else -> break
		od
	};
	finished == THREADS;
	n = 0;
	do
	:: n < CALLERS -> assert(seen[n] || after[n]); n++
	:: else -> break
	od
}
