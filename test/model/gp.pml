/* SPDX-License-Identifier: MIT */
/*
 * One domain: readers of SECTIONS sections each, and an updater that replaces an
 * element GRACE_PERIODS times and poisons the old one.  srcu/gp.c has the letters.
 *
 * x86-TSO: a CPU's stores wait in a FIFO and become visible in order, at any
 * time; a RMW, a fence, a switch of threads and membarrier drain it.  Increments
 * of a CPU's counter are restartable sequences, so what waits is "one more".  The
 * updater's stores are seen at once: those that wait are in share.pml and weak-gp.pml.
 *
 * A reader has one thread, begins on the CPU of its own number, and may be moved to
 * the next one in the middle of a section.  It may count on the twin at either
 * end.  CPUs that have not been seen yet are covered by raising the mark.
 */
#ifndef READERS
#define READERS 2
#endif
#ifndef SECTIONS
#define SECTIONS 1
#endif
#ifndef GRACE_PERIODS
#define GRACE_PERIODS 2
#endif
#define CPUS    READERS
#define DEPTH   4

#define AT(cpu, rank) (2 * (cpu) + (rank))

byte locks[2 * CPUS], unlocks[2 * CPUS]; /* by CPU and rank */
byte twin_locks[2], twin_unlocks[2];
byte mark, cpus; /* CPUs that readers count on, that scans cover */
bit word;       /* the current rank */
byte element;   /* the one that is published */
bool poisoned[GRACE_PERIODS + 1];

/* What waits in a CPU's store buffer: a lock or an unlock of a rank. */
chan buffer[CPUS] = [DEPTH] of { bool, bit };

inline retire(cpu)
{
	bool is_lock;
	bit of_rank;

	buffer[cpu]?is_lock, of_rank;
	if
	:: is_lock -> locks[AT(cpu, of_rank)]++
	:: else -> unlocks[AT(cpu, of_rank)]++
	fi;
	is_lock = false;
	of_rank = 0
}

inline drain(cpu)
{
	do
	:: nempty(buffer[cpu]) -> retire(cpu)
	:: empty(buffer[cpu]) -> break
	od
}

/* A CPU that has not been seen; in one step, but where two readers come to it. */
inline cover(cpu)
{
#if defined(MARK_FIRST)
	atomic { cpu >= mark -> drain(cpu); mark = cpu + 1 };
	cpus = cpu + 1
#elif defined(ONE_CPU)
	atomic { cpu >= mark -> drain(cpu); cpus = cpu + 1 };
	mark = cpu + 1
#else
	atomic { cpu >= mark -> drain(cpu); cpus = cpu + 1; mark = cpu + 1 }
#endif
}

/* B is a compiler barrier: nothing here. */
inline section()
{
	rank = word;
	if
	:: atomic { cpu < mark -> buffer[cpu]!true, rank }
	:: cover(cpu);
	   atomic { buffer[cpu]!true, rank }
	:: atomic { drain(cpu); twin_locks[rank]++ } /* aborted */
	fi;

	seen = element;
	if
	:: true /* a switch of threads drains both CPUs' buffers */
#ifdef MIGRATION
	:: atomic { drain(cpu); cpu = (cpu + 1) % CPUS; drain(cpu) }
#endif
	fi;
	assert(!poisoned[seen]);

	if
	:: atomic { cpu < mark -> buffer[cpu]!false, rank } /* R */
	:: atomic { drain(cpu); twin_unlocks[rank]++ }
	fi
}

proctype reader(byte self)
{
#ifdef ONE_CPU
	byte cpu = CPUS - 1;
#else
	byte cpu = self;
#endif
	byte seen, sections;
	bit rank;

	do
	:: sections < SECTIONS -> section(); sections++
	:: else -> break
	od
}

/* A store buffer drains at any time. */
proctype memory()
{
	byte cpu;

	do
	:: atomic {
		select (cpu : 0 .. CPUS - 1);
		if
		:: nempty(buffer[cpu]) -> retire(cpu)
		:: empty(buffer[cpu])
		fi;
		cpu = 0
	   }
	od
}

/* M: on each CPU a full barrier, one after another. */
inline membarrier()
{
	i = 0;
	do
	:: i < CPUS -> atomic { drain(i); i++ }
	:: else -> break
	od;
	i = 0
}

inline sum_unlocks(rank)
{
	u = twin_unlocks[rank];
	i = 0;
	do
	:: atomic { i < cpus -> u = u + unlocks[AT(i, rank)]; i++ }
	:: atomic { i >= cpus -> break }
	od;
	i = 0
}

inline sum_locks(rank)
{
#ifdef NO_MARK_RELOAD
	i = covered;
#else
	i = cpus; /* K */
#endif
	l = 0;
	do
	:: atomic { i > 0 -> i--; l = l + locks[AT(i, rank)] }
	:: atomic { i == 0 -> break }
	od;
#ifndef NO_TWIN
	l = l + twin_locks[rank]
#endif
}

/* What the two sums must not be: one pass. */
inline sum_both(rank)
{
	u = twin_unlocks[rank];
	l = 0;
	i = 0;
	do
	:: i < cpus ->
		u = u + unlocks[AT(i, rank)];
		atomic { l = l + locks[AT(i, rank)]; i++ }
	:: else -> break
	od;
	l = l + twin_locks[rank];
	i = 0
}

inline check(rank)
{
#ifdef NO_MARK_RELOAD
	covered = cpus;
#endif
#ifdef L_BEFORE_U
	sum_locks(rank);
	sum_unlocks(rank);
#elif defined(ONE_PASS)
	sum_both(rank);
#else
	sum_unlocks(rank);
	sum_locks(rank);
#endif
	atomic { quiescent = (u == l); u = 0; l = 0 }
}

inline wait_for(rank)
{
	do
	:: check(rank);
	   if
	   :: atomic { quiescent -> quiescent = false; break }
	   :: else
	   fi
	od
}

inline grace_period()
{
#ifdef M_AFTER_SCAN
	wait_for(1 - word);
	wait_for(word);
	membarrier();
#else
#ifndef NO_M
	membarrier(); /* M */
#endif
#ifdef ONE_RANK
	wait_for(word);
	word = 1 - word;
#elif defined(NO_FINAL_WAIT)
	wait_for(1 - word);
	word = 1 - word;
#elif defined(FLIP_WITHOUT_WAIT)
	word = 1 - word;
	wait_for(1 - word);
#else
	check(0);
	pending[0] = !quiescent;
	check(1);
	pending[1] = !quiescent;
	quiescent = false;
	do
	:: pending[0] -> check(0); pending[0] = !quiescent; quiescent = false
	:: pending[1] -> check(1); pending[1] = !quiescent; quiescent = false
	:: atomic { pending[word] && !pending[1 - word] -> word = 1 - word }
	:: atomic { !pending[0] && !pending[1] -> break }
	od
#endif
#endif
}

active proctype updater()
{
	byte i, u, l, covered, old;
	bool quiescent, pending[2];

	atomic {
		mark = 1;
		cpus = 1;
		run memory();
		i = 0;
		do
		:: i < READERS -> run reader(i); i++
		:: else -> break
		od;
		i = 0
	}
	do
	:: element < GRACE_PERIODS ->
		old = element;
		element = element + 1; /* and S */
		grace_period();
		poisoned[old] = true
	:: else -> break
	od
}
