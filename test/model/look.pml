/* SPDX-License-Identifier: MIT */
/*
 * When the grace-period thread looks at a domain next (look_ of srcu/thread.c).  An
 * invoker has its callbacks: the thread need not look before that one asks for it,
 * which it may do at any time, also before the thread has put down that it need not.
 */
#define NOW   0
#define NEVER 1

byte look_ = NOW, doorbell;
bool invoking = true;

active proctype invoker()
{
	invoking = false;
	look_ = NOW; /* srcu_look_again() */
	doorbell++
}

active proctype grace_period_thread()
{
	byte rung;
	bool busy;

	do
	:: rung = doorbell;
	   if
	   :: look_ == NOW ->
		look_ = NEVER;
		busy = invoking;
		if
		:: !busy -> break
		:: else
		fi;
#ifdef OVERWRITE
		look_ = NEVER
#else
		/* Compare and exchange: NEVER to NEVER, or nothing. */
		skip
#endif
	   :: else
	   fi;
	   if
	   :: look_ == NOW
	   :: else -> doorbell != rung
	   fi
	od
}
