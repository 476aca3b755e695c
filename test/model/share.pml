/* SPDX-License-Identifier: MIT */
/*
 * Two updaters share grace periods by started and done; the wait for readers is
 * one step, as gp.pml has it: all sections that began before M have ended.  Each
 * updater replaces an element of its own, and its store waits in its buffer until
 * S, or until somebody's M drains it.
 */
#define UPDATERS 2
#define READERS  2

byte started, done;
bit lock;
byte element[UPDATERS];     /* 0: the old one, 1: the new one; as memory has it */
bool waits[UPDATERS];       /* the store of 1 is in the updater's buffer */
bool poisoned[UPDATERS];    /* the old one */
byte began[READERS], ended[READERS]; /* sections; a section is open when they differ */
byte seen_by_m[READERS];

inline drain(who)
{
	if
	:: waits[who] -> element[who] = 1; waits[who] = false
	:: else
	fi
}

/* It looks at both elements, in any order, in the same section. */
proctype reader(byte self)
{
	byte which, first;
	bit seen;

	began[self]++;
	select (first : 0 .. UPDATERS - 1);
	which = first;
	seen = element[which];
	assert(seen == 1 || !poisoned[which]);
	which = 1 - first;
	seen = element[which];
	/* Between the load and the use. */
	assert(seen == 1 || !poisoned[which]);
	ended[self]++
}

/* M and the wait for who was inside then. */
inline wait_for_readers(who)
{
	i = 0;
	do
	:: i < READERS -> atomic { seen_by_m[i] = began[i]; i++ }
	:: else -> break
	od;
#ifndef M_DRAINS_NOBODY
	atomic { drain(0) };
	atomic { drain(1) };
#endif
	i = 0;
	do
	:: i < READERS -> atomic { ended[i] >= seen_by_m[i]; i++ }
	:: else -> break
	od;
	i = 0
}

proctype updater(byte self)
{
	byte i, number;

	waits[self] = true; /* element[self] = 1 */
#ifndef NO_S
	atomic { drain(self) }; /* S */
#endif
#ifdef JOIN_RUNNING
	number = (started > done -> started : started + 1);
#else
	number = started + 1;
#endif
	do
	:: done >= number -> break /* D */
	:: atomic { done < number && !lock -> lock = 1 };
	   do
	   :: done >= number -> break
	   :: else ->
#ifdef START_AFTER_M
		wait_for_readers(self);
		started++;
#else
		started++;
		wait_for_readers(self); /* M */
#endif
		done = started
	   od;
	   lock = 0
	od;
	poisoned[self] = true
}

init {
	atomic {
		run updater(0);
		run updater(1);
		run reader(0);
		run reader(1)
	}
}
