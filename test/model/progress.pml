/* SPDX-License-Identifier: MIT */
/*
 * Readers that begin section after section for ever, and grace periods that must
 * end all the same: what the flip is for (srcu/gp.c).  Sequentially consistent;
 * gp.pml has the store buffers.  Counters are modulo MODULUS, which is enough as
 * long as no reader can go round between U and L of a rank that nobody enters.
 */
#define READERS 2
#define MODULUS 4

byte locks[2], unlocks[2];
bit word;
byte periods;

active [READERS] proctype reader()
{
	bit rank;

	do
	:: rank = word;
	   locks[rank] = (locks[rank] + 1) % MODULUS;
	   unlocks[rank] = (unlocks[rank] + 1) % MODULUS
	od
}

active proctype updater()
{
	byte u;
	bool pending[2];

	do
	:: pending[0] = true;
	   pending[1] = true;
	   do
	   :: pending[1 - word] ->
		u = unlocks[1 - word];
		if
		:: u == locks[1 - word] -> pending[1 - word] = false
		:: else ->
#ifdef FLIP_AT_ONCE
			word = 1 - word
#else
			skip
#endif
		fi
	   :: !pending[1 - word] && pending[word] ->
#ifdef NO_FLIP
		skip;
#else
		word = 1 - word;
		do
		:: u = unlocks[1 - word];
		   if
		   :: u == locks[1 - word] -> pending[1 - word] = false; break
		   :: else
		   fi
		od;
		pending[word] = false;
		break;
#endif
		u = unlocks[word];
		if
		:: u == locks[word] -> pending[word] = false
		:: else
		fi
	   :: !pending[0] && !pending[1] -> break
	   od;
progress:  periods = 1 - periods
	od
}
