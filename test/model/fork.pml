/* SPDX-License-Identifier: MIT */
/*
 * A domain in the child of fork() (srcu/fork.c, srcu_domain_after_fork()).  The
 * counts that were copied hold the sections of threads which are not there, and
 * the one that the forking thread is in.  The child's domain moves to a fresh
 * slot.  A token names its slot, so ending the inherited section counts on the
 * old one, in the child or not at all, and the child's grace periods wait for the
 * child's sections, all of them, and nobody else's.
 */
#define SLOTS 2

/* locks and unlocks, by slot; one rank is enough for this */
byte locks[SLOTS], unlocks[SLOTS];
byte slot;             /* the domain's */
byte others = 1;       /* sections of the parent's other threads, open for ever */
bool inherited;        /* the forking thread's own section is open */
bool inside, poisoned; /* the child's own reader */
bool ready;

active proctype thread()
{
	byte token, own;

	/* In the parent. */
	locks[slot] = locks[slot] + others;
	if
	:: true -> token = slot; locks[token]++; inherited = true
	:: true
	fi;
	/* fork() */
#ifdef KEEP_SLOT
	skip;
#elif defined(ZERO_SLOT)
	locks[slot] = 0;
	unlocks[slot] = 0;
#else
	slot = 1 - slot;
#endif
	ready = true;
	/* In the child: a section of its own, and the end of the inherited one. */
	if
	:: inherited -> unlocks[token]++; inherited = false
	:: true
	fi;
	atomic { own = slot; locks[own]++; inside = true };
	if
	:: inherited -> unlocks[token]++; inherited = false
	:: true
	fi;
	assert(!poisoned);
	atomic { inside = false; unlocks[own]++ }
}

active proctype updater()
{
	byte u;
	bool began_inside;

	ready;
	began_inside = inside; /* M: later sections see the new element */
	do
	:: u = unlocks[slot];
	   if
	   :: u == locks[slot] -> break
	   :: else ->
		/* Wait for a change: one that never comes is a hang. */
		!(u == unlocks[slot])
	   fi
	od;
	if
	:: began_inside -> poisoned = true
	:: else
	fi
}
