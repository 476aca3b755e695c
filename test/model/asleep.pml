/* SPDX-License-Identifier: MIT */
/*
 * How the grace-period thread lets go of a domain and goes to sleep, and nobody's
 * callback stays behind (srcu/thread.c).  A push on a CPU's list is a plain store
 * that waits in the CPU's buffer; the load of active_ that follows may overtake
 * it.  leave(): LEAVING, W (a membarrier), look at the lists, INACTIVE if nobody
 * has made it ACTIVE meanwhile.  Who finds it INACTIVE puts the domain on
 * arrivals and rings.
 */
#ifndef PUSHERS
#define PUSHERS 2
#endif

mtype = { INACTIVE, LEAVING, ACTIVE };
mtype active_ = INACTIVE;
byte listed, waits[PUSHERS]; /* callbacks: in memory, in the pushers' buffers */
byte invoked, pushed;
byte arrivals;
byte doorbell;
byte finished;

#ifdef NO_LOOK_BACK
#define LISTED 0
#else
#define LISTED listed
#endif

inline drain(who)
{
	listed = listed + waits[who];
	waits[who] = 0
}

proctype pusher(byte self)
{
	mtype was;

	atomic { waits[self]++; pushed++ };
	if /* the load of active_ */
	:: active_ == ACTIVE -> skip
	:: else ->
		/* A RMW drains the buffer. */
		atomic { drain(self); was = active_; active_ = ACTIVE };
		if
		:: was == INACTIVE -> arrivals++; doorbell++
		:: else
		fi
	fi;
	/* The buffer drains sooner or later. */
	atomic { drain(self); finished++ }
}

inline take()
{
	atomic { invoked = invoked + listed; listed = 0 }
}

active proctype grace_period_thread()
{
	byte rung, i;
	bool has_domain;

	do
	:: rung = doorbell;
	   if
	   :: atomic { arrivals > 0 -> arrivals--; assert(!has_domain); has_domain = true }
	   :: else
	   fi;
	   if
	   :: has_domain ->
		take();
		active_ = LEAVING;
#ifndef NO_W
		i = 0;
		do
		:: i < PUSHERS -> atomic { drain(i); i++ }
		:: else -> break
		od;
		i = 0;
#endif
		if
		:: LISTED > 0 -> active_ = ACTIVE
		:: LISTED == 0 ->
#ifdef BLIND_LEAVE
			active_ = INACTIVE; has_domain = false
#else
			if
			:: atomic { active_ == LEAVING -> active_ = INACTIVE; has_domain = false }
			:: atomic { else }
			fi
#endif
		fi
	   :: else ->
#ifdef BELL_LATE
		rung = doorbell;
#endif
		/* futex: asleep while nobody has rung since. */
end:		doorbell != rung
	   fi
	od
}

init {
	byte i;

	atomic {
		do
		:: i < PUSHERS -> run pusher(i); i++
		:: else -> break
		od
	};
	/* A callback that is listed and nobody's is lost. */
	(finished == PUSHERS && timeout);
	assert(invoked == pushed)
}
