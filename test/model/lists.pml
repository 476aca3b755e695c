/* SPDX-License-Identifier: MIT */
/*
 * A CPU's two lists of callbacks and the hand-over from one to the other
 * (srcu/callback-list.c).  The pusher's append is a restartable sequence: link
 * behind the tail, then store the tail, which commits it; an abort sends it to
 * the atomic list.  The consumer turns lists_, makes C, and takes what is on the
 * list that was current.  Nothing may be lost, and nothing taken twice.
 *
 * A node's link may be written again by a push that was aborted: only what the
 * tail reaches counts, so a list is modelled by its nodes from first to tail.
 */
#ifndef PUSHES
#define PUSHES 3
#endif
#define NODES  (PUSHES + 1)
#define NONE   0

byte link[NODES];           /* of a node, 1 .. PUSHES */
byte first[2], tail[2];     /* of the two lists */
byte atomics[NODES];        /* the atomic list, as a set */
bit lists;                  /* which list is current */
bool inside, aborted;       /* the sequence */
byte invoked[NODES];
byte taken;
bool pushing = true;

/* C: on the pusher's CPU, in one step. */
inline barrier_c()
{
	atomic {
		if
		:: inside -> aborted = true
		:: else
		fi
	}
}

#define RUNS (!aborted)

active proctype pusher()
{
	byte node = 1, end;
	bit list;

	do
	:: node < NODES ->
		atomic { inside = true; aborted = false };
		/* Each step of the sequence is one that an abort can come before. */
		if
		:: atomic { RUNS -> list = lists };
		   if
		   :: atomic { RUNS -> end = tail[list] };
		      if
		      :: atomic {
				RUNS ->
				if
				:: end == NONE -> first[list] = node
				:: else -> link[end] = node
				fi
			 };
			 if
			 :: atomic { RUNS -> tail[list] = node; inside = false; goto pushed }
			 :: atomic { !RUNS }
			 fi
		      :: atomic { !RUNS }
		      fi
		   :: atomic { !RUNS }
		   fi
		:: atomic { !RUNS }
		fi;
		atomic { inside = false; atomics[node] = 1 };
pushed:		atomic { node++; end = 0 }
	:: else -> break
	od;
	pushing = false
}

/* What is reached from first, up to the tail; the list is empty then. */
inline take(list)
{
	at = first[list];
	last = tail[list];
	do
	:: last == NONE -> break
	:: else ->
		atomic {
			invoked[at]++;
			taken++;
			assert(invoked[at] == 1)
		};
		if
		:: at == last -> break
		:: else -> at = link[at]
		fi
	od;
	tail[list] = NONE;
	atomic { at = 0; last = 0 }
}

inline collect()
{
#ifdef NO_TURN
	barrier_c();
	take(lists);
#else
	lists = 1 - lists;
#ifndef NO_C
	barrier_c();
#endif
	take(1 - lists);
#endif
	i = 1;
	do
	:: i < NODES ->
		atomic {
			if
			:: atomics[i] == 1 -> atomics[i] = 0; invoked[i]++; taken++
			:: else
			fi;
			i++
		}
	:: else -> break
	od
}

active proctype consumer()
{
	byte at, last, i;

	do
	:: pushing -> collect()
	:: !pushing -> break
	od;
	collect();
	collect();
	assert(taken == PUSHES)
}
