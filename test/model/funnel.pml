/* SPDX-License-Identifier: MIT */
/*
 * The combining tree in front of the grace-period lock (srcu/tree.c): two leaves
 * and a root.  The first two callers share a leaf, the third has the other; any
 * of them may give up at any time, as one whose deadline passes does.  Naps are
 * left out: without them nobody may sleep for ever while nobody leads, and nobody
 * may return before a grace period that began after the call has ended.
 */
#define CALLERS 3
#define NODES   3
#define ROOT    2
#define FREE    CALLERS

typedef node_t {
	byte led[2];
	byte event[2];
	byte sleepers
};

node_t node[NODES];
byte started, done;
byte lock = FREE;
byte unlocks; /* the futex of the lock */
byte finished;

#define PARITY(n) ((n) % 2)

/* Come back down from @height nodes. */
inline descend()
{
	ended = (done >= number);
	do
	:: height == 0 -> break
	:: else ->
		height--;
		at = (height == 1 -> ROOT : leaf);
#ifndef NO_TAKE_BACK
		atomic {
			if
			:: !ended && node[at].led[PARITY(number)] == number ->
				node[at].led[PARITY(number)] = 0
			:: else
			fi
		};
#endif
#ifndef NO_WAKE
		node[at].event[PARITY(number)]++
#endif
	od;
	ended = false
}

/* After it, number is done or the caller's to lead, or it has given up. */
inline climb()
{
	height = 0;
	at = leaf;
	do
	:: atomic {
		node[at].led[PARITY(number)] < number ->
		node[at].led[PARITY(number)] = number;
		height++
	   };
	   if
	   :: at == ROOT -> break
	   :: else -> at = ROOT
	   fi
	:: atomic { node[at].led[PARITY(number)] >= number -> skip };
	   /* sleep_at() */
	   event = node[at].event[PARITY(number)];
	   if
	   :: done >= number -> break
	   :: else ->
		if
		:: node[at].led[PARITY(number)] != number && done < number -> skip
		:: else ->
			if
			:: node[at].event[PARITY(number)] != event || done >= number
			:: may_give_up -> gave_up = true; break
			fi
		fi
	   fi
	od
}

proctype caller(byte self; byte leaf; bool may_give_up)
{
	byte number, height, at, event, before;
	bool gave_up, ended;

	before = started; /* S */
	number = started + 1;
	climb();
	do
	:: gave_up || done >= number -> break
	:: else ->
		if
		:: atomic { lock == FREE -> lock = self };
		   do
		   :: done >= number -> break
		   :: done < number && may_give_up -> gave_up = true; break
		   :: else -> started++; done = started
		   od;
		   lock = FREE;
		   unlocks++
		:: atomic { lock != FREE -> event = unlocks };
		   if
		   :: lock == FREE || unlocks != event
		   :: may_give_up -> gave_up = true
		   fi
		fi
	od;
	descend();
	assert(gave_up || done > before);
	finished++
}

init {
	atomic {
		run caller(0, 0, true);
		run caller(1, 0, false);
		run caller(2, 1, true)
	}
	finished == CALLERS
}
