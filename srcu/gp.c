/* SPDX-License-Identifier: MIT */
/*
 * Grace periods.
 *
 * Reader:   load word; locks++; B; section; R unlocks++.
 *   B  compiler barrier in a membarrier domain, full fence in a fenced one.
 *      Pairs with M.
 *   R  store-release.  Pairs with U.
 * Updater:
 *   S  full fence, then started_ is read (follower) or advanced (leader), before
 *      M.  What the caller stored before, the readers of the grace period that
 *      it waits for see.  Pairs with M of whoever leads that grace period.
 *   M  srcu_barrier_all_readers(): every running thread has a full barrier at B.
 *   U  sum of a rank's unlocks, acquire.  Pairs with R.
 *   K  the number of CPUs that may have counts, read after U.  Pairs with the
 *      release in srcu_domain_cover_cpu(): an unlock that U counted is the end of a
 *      section that began on a CPU which was covered by then.
 *   L  sum of the rank's locks, over those CPUs.  Quiescent: U == L.
 *   D  done_ is stored with release and read with acquire.
 *   F  full fence: a grace period is a full barrier towards third threads, for
 *      leader and follower alike.
 *
 * A section whose locks++ comes before its thread's barrier of M is in L: it is
 * waited for, because U cannot have its unlock without having acquired it, and
 * never has an unlock whose lock L misses.  One whose locks++ comes after that
 * barrier begins after S, and sees everything from before the grace period.
 * Which rank it counts on plays no part in this, hence both must be seen
 * quiescent, in whatever order.  The flip is for progress only: once the other
 * rank is quiescent the word is turned to it, so that later readers leave the
 * rank that is still waited for alone.  Sums are 64 bits wide: they do not wrap
 * between U and L.
 */
#include <sched.h>

#include "internal.h"

#define NS_PER_US     1000u
#define SPIN_NS       (5 * NS_PER_US)
#define YIELD_NS      (20 * NS_PER_US)
#define YIELD_NS_EXP  (1000 * NS_PER_US)
#define SLEEP_MIN_NS  (50 * NS_PER_US)
#define SLEEP_MAX_NS  (10000 * NS_PER_US)
#define SLEEP_MAX_EXP (1000 * NS_PER_US)
#define STALL_NS      10000000000u

static uint64_t sum_unlocks(const struct srcu_struct *ssp, uintptr_t ctr, unsigned int rank)
{
	unsigned int cpus = __atomic_load_n(&ssp->cpus_, __ATOMIC_ACQUIRE);
	uint64_t sum = __atomic_load_n(&ssp->twin_[rank].srcu_unlocks, __ATOMIC_ACQUIRE);

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		sum += __atomic_load_n(&ctr_on(ctr, cpu)->srcu_unlocks, __ATOMIC_ACQUIRE);
	return sum;
}

static uint64_t sum_locks(const struct srcu_struct *ssp, uintptr_t ctr, unsigned int rank)
{
	unsigned int cpus = __atomic_load_n(&ssp->cpus_, __ATOMIC_ACQUIRE); /* K */
	uint64_t sum = __atomic_load_n(&ssp->twin_[rank].srcu_locks, __ATOMIC_RELAXED);

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		sum += __atomic_load_n(&ctr_on(ctr, cpu)->srcu_locks, __ATOMIC_RELAXED);
	return sum;
}

static uintptr_t rank_ctr(const struct srcu_struct *ssp, unsigned int rank)
{
	uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED);

	return (word & WORD_SLOT) | (rank ? WORD_RANK : 0);
}

/* Has the rank as many unlocks as locks?  The order of the two sums is the point. */
bool srcu_gp_quiescent(const struct srcu_struct *ssp, unsigned int rank)
{
	uintptr_t ctr = rank_ctr(ssp, rank);
	uint64_t unlocks = sum_unlocks(ssp, ctr, rank); /* U */

	return unlocks == sum_locks(ssp, ctr, rank); /* L */
}

/* Sections under way: exact when nobody comes or goes. */
uint64_t srcu_gp_readers(const struct srcu_struct *ssp)
{
	uint64_t readers = 0;

	for (unsigned int rank = 0; rank < 2; rank++) {
		uintptr_t ctr = rank_ctr(ssp, rank);
		uint64_t unlocks = sum_unlocks(ssp, ctr, rank);

		readers += sum_locks(ssp, ctr, rank) - unlocks;
	}
	return readers;
}

static unsigned int rank_bit(unsigned int rank)
{
	return 1u << rank;
}

static void gp_begin(struct srcu_struct *ssp)
{
	/* S was in the caller.  Release: pairs with the acquire of started_'s readers. */
	__atomic_store_n(&ssp->started_, ssp->started_ + 1, __ATOMIC_RELEASE);
	srcu_barrier_all_readers(ssp); /* M */
	ssp->gp_pending_ = rank_bit(0) | rank_bit(1);
}

static void gp_end(struct srcu_struct *ssp)
{
	__atomic_store_n(&ssp->done_, ssp->started_, __ATOMIC_RELEASE); /* D */
}

/*
 * One step of the grace period under way, or of a new one; true when it ended.
 * Called under the lock.  The word is turned only while the rank that becomes
 * current has been seen quiescent and the other one is waited for.
 */
static bool gp_advance(struct srcu_struct *ssp)
{
	unsigned int current;

	if (!ssp->gp_pending_)
		gp_begin(ssp);
	for (unsigned int rank = 0; rank < 2; rank++)
		if ((ssp->gp_pending_ & rank_bit(rank)) && srcu_gp_quiescent(ssp, rank))
			ssp->gp_pending_ &= ~rank_bit(rank);
	if (!ssp->gp_pending_) {
		gp_end(ssp);
		return true;
	}
	current = word_rank(__atomic_load_n(&ssp->word_, __ATOMIC_RELAXED));
	if (ssp->gp_pending_ == rank_bit(current))
		__atomic_fetch_xor(&ssp->word_, WORD_RANK, __ATOMIC_RELAXED);
	return false;
}

/* How a leader waits for readers: what it has spent, and when it next complains. */
struct gp_wait {
	bool expedited;
	uint64_t began_ns;
	uint64_t waited_ns;
	uint64_t report_ns;
};

static void report_stall(const struct srcu_struct *ssp, struct gp_wait *wait)
{
	srcu_warn(ssp, "grace period %llu has waited %llu s for %lld reader(s) (rank %s)",
		(unsigned long long)ssp->started_,
		(unsigned long long)(wait->waited_ns / 1000000000u),
		(long long)srcu_gp_readers(ssp),
		ssp->gp_pending_ == 3   ? "0 and 1"
		: ssp->gp_pending_ == 2 ? "1"
					: "0");
	wait->report_ns *= 2;
}

static uint64_t sleep_share(const struct gp_wait *wait)
{
	uint64_t share = wait->waited_ns / 8, most = wait->expedited ? SLEEP_MAX_EXP : SLEEP_MAX_NS;

	return share < SLEEP_MIN_NS ? SLEEP_MIN_NS : share > most ? most : share;
}

/*
 * Spin, then yield, then sleep an eighth of the time spent: readers never wake
 * anybody, and the overshoot stays within that share.
 */
static void gp_relax(struct srcu_struct *ssp, struct gp_wait *wait)
{
	uint64_t now = srcu_now_ns();

	if (!wait->began_ns)
		wait->began_ns = now;
	wait->waited_ns = now - wait->began_ns;
	if (wait->waited_ns < SPIN_NS)
		cpu_relax();
	else if (wait->waited_ns < (wait->expedited ? YIELD_NS_EXP : YIELD_NS))
		sched_yield();
	else
		srcu_sleep_ns(sleep_share(wait));
	if (wait->waited_ns > wait->report_ns)
		report_stall(ssp, wait);
}

/* Advance under the lock until grace period @cookie has ended. */
static void gp_lead(struct srcu_struct *ssp, uint64_t cookie, bool expedited)
{
	struct gp_wait wait = {.expedited = expedited, .report_ns = STALL_NS};

	while (ssp->done_ < cookie)
		if (!gp_advance(ssp))
			gp_relax(ssp, &wait);
	if (wait.waited_ns > ssp->longest_ns_)
		__atomic_store_n(&ssp->longest_ns_, wait.waited_ns, __ATOMIC_RELAXED);
}

static bool gp_done(const struct srcu_struct *ssp, uint64_t cookie)
{
	return __atomic_load_n(&ssp->done_, __ATOMIC_ACQUIRE) >= cookie; /* D */
}

static void synchronize(struct srcu_struct *ssp, const char *function, bool expedited)
{
	bool led = false;
	uint64_t cookie;
	uintptr_t word;

	if (!srcu_domain_usable(ssp, function, &word))
		return;
	full_fence(); /* S */
	/* A grace period that has begun may have missed a reader of ours: the next one. */
	cookie = __atomic_load_n(&ssp->started_, __ATOMIC_ACQUIRE) + 1;
	while (!gp_done(ssp, cookie)) {
		if (!srcu_gp_trylock(ssp)) {
			srcu_gp_wait_unlock(ssp);
			continue;
		}
		led = !gp_done(ssp, cookie);
		gp_lead(ssp, cookie, expedited);
		srcu_gp_unlock(ssp);
	}
	if (!led)
		__atomic_fetch_add(&ssp->shared_, 1, __ATOMIC_RELAXED);
	full_fence(); /* F */
}

void __synchronize_srcu(struct srcu_struct *ssp)
{
	synchronize(ssp, "synchronize_srcu", false);
}

void __synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	synchronize(ssp, "synchronize_srcu_expedited", true);
}
