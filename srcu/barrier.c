/* SPDX-License-Identifier: MIT */
/*
 * Barrier M: a full barrier on every thread of the process that is running, by
 * membarrier(), by nothing at all where the readers have fences of their own,
 * and, when the kernel refuses membarrier after readers have come to rely on
 * it, by a visit to every CPU.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#else
#define __libc_single_threaded 0
#endif

#include "internal.h"

#ifdef SRCU_TSAN
uint32_t srcu_fence_word;
#endif

enum { UNKNOWN, PRESENT, ABSENT };

static int membarrier_state;
static bool membarrier_refused; /* the latest, though it had been present */
static bool stuck;              /* and so is the walk */

bool srcu_barriers_stuck(void)
{
	return __atomic_load_n(&stuck, __ATOMIC_RELAXED);
}

static int membarrier(int command)
{
	return (int)syscall(SYS_membarrier, command, 0, 0);
}

static int membarrier_probe(void)
{
	int commands;

	if (srcu_forced(FORCE_NOMEMBARRIER))
		return ABSENT;
	commands = membarrier(MEMBARRIER_CMD_QUERY);
	if (commands < 0 || !(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) ||
		membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
		return ABSENT;
	return PRESENT;
}

/*
 * The first answer holds for the process: readers that were told to do without
 * fences cannot be told otherwise.
 */
bool srcu_have_membarrier(void)
{
	int state = __atomic_load_n(&membarrier_state, __ATOMIC_RELAXED), unknown = UNKNOWN;
	int saved_errno = errno;

	if (likely(state))
		return state == PRESENT;
	state = membarrier_probe();
	errno = saved_errno;
	if (!__atomic_compare_exchange_n(
		    &membarrier_state, &unknown, state, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		state = unknown;
	return state == PRESENT;
}

static bool on_cpu(unsigned int cpu, bool *visited)
{
	unsigned long mask[8192 / (8 * sizeof(long))] = {0};
	const unsigned int bits = 8 * sizeof(long);

	if (cpu >= 8192)
		return true;
	mask[cpu / bits] = 1ul << cpu % bits;
	/*
	 * EINVAL: the CPU is offline or not in our cpuset.  Threads of one process in
	 * different cpusets, which only threaded cgroups make, are not covered.
	 */
	if (syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask))
		return errno == EINVAL;
	/* A sandbox may answer in the kernel's place that it was done. */
	*visited = sched_getcpu() == (int)cpu;
	return *visited;
}

/*
 * Run on each CPU in turn.  A thread that was running on one has gone through
 * the scheduler there, which is a full barrier, after the walk began; a thread
 * that was not goes through it before it runs again.
 */
static bool walk_all_cpus(void)
{
	unsigned long mask[8192 / (8 * sizeof(long))] = {0};
	bool done = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask) > 0, visited = false;

	for (unsigned int cpu = 0; done && cpu < nr_possible_cpus(); cpu++)
		done = on_cpu(cpu, &visited);
	syscall(SYS_sched_setaffinity, 0, sizeof(mask), mask);
	return done && visited;
}

/*
 * False: there is no way to have one now.  That is reported once, a wait by its domain.
 * Inline, as others between the public functions and the system call are: the
 * processor mispredicts each return to a function that was entered before it.
 */
__attribute__((always_inline)) static inline bool barrier_by(
	const struct srcu_struct *ssp, int command)
{
	static bool told;
	bool done = !membarrier(command);

	if (unlikely(done == __atomic_load_n(&membarrier_refused, __ATOMIC_RELAXED)))
		__atomic_store_n(&membarrier_refused, !done, __ATOMIC_RELAXED);
	if (unlikely(!done))
		done = walk_all_cpus();
	if (unlikely(done == srcu_barriers_stuck()))
		__atomic_store_n(&stuck, !done, __ATOMIC_RELAXED);
	if (unlikely(!done && !__atomic_exchange_n(&told, true, __ATOMIC_RELAXED)))
		srcu_warn(ssp, "grace period cannot go on: neither membarrier nor "
			       "sched_setaffinity is allowed");
	return done;
}

/*
 * M.  Pairs with B in the readers.  With fenced readers B is a full fence and M
 * the caller's own.  In a process of one thread, reader and updater are the
 * same thread or a signal handler on it, and program order is all there is.
 * False: not to be had; try again later.
 */
bool srcu_barrier_all_readers(struct srcu_struct *ssp)
{
	if (domain_flags(ssp) & DOMAIN_FENCED) {
		full_fence();
		return true;
	}
	if (__libc_single_threaded) {
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		return true;
	}
	__atomic_store_n(&ssp->membarriers_, ssp->membarriers_ + 1, __ATOMIC_RELAXED);
	return barrier_by(ssp, MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

/* Can pushes in flight be aborted?  The first answer holds for the process. */
bool srcu_have_rseq_barrier(void)
{
	static int state;
	int known = __atomic_load_n(&state, __ATOMIC_RELAXED), saved_errno = errno;

	if (!known) {
		known = srcu_have_membarrier() && srcu_have_rseq() &&
					!membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)
				? PRESENT
				: ABSENT;
		__atomic_store_n(&state, known, __ATOMIC_RELAXED);
		errno = saved_errno;
	}
	return known == PRESENT;
}

/*
 * C.  Pairs with the restartable sequence in which a callback is pushed: after
 * it no push on the list that was current before is under way, and what was
 * pushed there is seen.  The walk does as much, for preemption aborts too; in a
 * process of one thread, so does being in this function.  False: as above.
 */
bool srcu_barrier_all_pushes(struct srcu_struct *ssp)
{
	if (__libc_single_threaded) {
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		return true;
	}
	return barrier_by(ssp, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ);
}

/* A full barrier on every thread, whatever the domain's readers do.  False: as above. */
bool srcu_barrier_all_threads(struct srcu_struct *ssp)
{
	return !srcu_have_membarrier() || __libc_single_threaded ||
	       barrier_by(ssp, MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

enum srcu_barrier_kind srcu_barrier_kind(const struct srcu_struct *ssp)
{
	if (domain_flags(ssp) & DOMAIN_FENCED)
		return SRCU_BARRIER_FENCES;
	if (__atomic_load_n(&membarrier_refused, __ATOMIC_RELAXED))
		return SRCU_BARRIER_WALK;
	return SRCU_BARRIER_MEMBARRIER;
}
