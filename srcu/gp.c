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

#include "debug.h"
#include "probe.h"

#define NS_PER_US        1000u
#define UNTIMED_LOOKS    8
#define TURN_AFTER_LOOKS 3
#define SPIN_NS          (5 * NS_PER_US)
#define YIELD_NS         (20 * NS_PER_US)
#define YIELD_NS_EXP     (1000 * NS_PER_US)
#define SLEEP_MIN_NS     (50 * NS_PER_US)
#define SLEEP_MAX_NS     (10000 * NS_PER_US)
#define SLEEP_MAX_EXP    (1000 * NS_PER_US)
#define HOLDOFF_NS       (25 * NS_PER_US)

/*
 * Where a rank is counted on CPU 0, by a word that was read once: one that has
 * no slot, because the domain has just been initialised by somebody else or has
 * no memory, or has just been cleaned up, leaves only the twin to look at.
 */
uintptr_t srcu_gp_rank_ctr(const struct srcu_struct *ssp, unsigned int rank)
{
	uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_ACQUIRE);

	return word & WORD_SLOT ? (word & WORD_SLOT) | (rank ? WORD_RANK : 0) : 0;
}

static unsigned int cpus_to_scan(const struct srcu_struct *ssp, uintptr_t ctr)
{
	return ctr ? __atomic_load_n(&ssp->cpus_, __ATOMIC_ACQUIRE) : 0;
}

static inline uint64_t sum_unlocks(const struct srcu_struct *ssp, uintptr_t ctr, unsigned int rank)
{
	unsigned int cpus = cpus_to_scan(ssp, ctr);
	uint64_t sum = __atomic_load_n(&ssp->twin_[rank].srcu_unlocks, __ATOMIC_ACQUIRE);

	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		INJECT(U);
		sum += __atomic_load_n(&ctr_on(ctr, cpu)->srcu_unlocks, __ATOMIC_ACQUIRE);
	}
	INJECT(K);
	return sum;
}

/*
 * Downwards: it begins on the line where sum_unlocks() ended, before a reader
 * there has taken it back.
 */
static inline uint64_t sum_locks(const struct srcu_struct *ssp, uintptr_t ctr, unsigned int rank)
{
	unsigned int cpu = cpus_to_scan(ssp, ctr); /* K */
	uint64_t sum = 0;

	while (cpu--) {
		INJECT(L);
		sum += __atomic_load_n(&ctr_on(ctr, cpu)->srcu_locks, __ATOMIC_RELAXED);
	}
	return sum + __atomic_load_n(&ssp->twin_[rank].srcu_locks, __ATOMIC_RELAXED);
}

/* Has the rank as many unlocks as locks?  The order of the two sums is the point. */
bool srcu_gp_quiescent(const struct srcu_struct *ssp, unsigned int rank)
{
	uintptr_t ctr = srcu_gp_rank_ctr(ssp, rank);
	uint64_t unlocks = sum_unlocks(ssp, ctr, rank); /* U */

	return unlocks == sum_locks(ssp, ctr, rank); /* L */
}

/* Sections of a rank that are under way: exact when nobody comes or goes, else no fewer. */
uint64_t srcu_gp_readers_of(const struct srcu_struct *ssp, unsigned int rank)
{
	uintptr_t ctr = srcu_gp_rank_ctr(ssp, rank);
	uint64_t unlocks = sum_unlocks(ssp, ctr, rank);

	return sum_locks(ssp, ctr, rank) - unlocks;
}

uint64_t srcu_gp_readers(const struct srcu_struct *ssp)
{
	return srcu_gp_readers_of(ssp, 0) + srcu_gp_readers_of(ssp, 1);
}

static unsigned int rank_bit(unsigned int rank)
{
	return 1u << rank;
}

static uint64_t needed(const struct srcu_struct *ssp)
{
	return __atomic_load_n(&ssp->needed_, __ATOMIC_ACQUIRE);
}

/* False: M is refused.  The grace period has its number, and begins another time. */
__attribute__((always_inline)) static inline bool gp_begin(struct srcu_struct *ssp)
{
	/* S was in the caller.  Release: pairs with the acquire of started_'s readers. */
	if (ssp->started_ == ssp->done_) {
		__atomic_store_n(&ssp->started_, ssp->started_ + 1, __ATOMIC_RELEASE);
		PROBE(gp_begin, ssp, ssp->started_);
	}
	INJECT(M);
	if (!srcu_barrier_all_readers(ssp)) /* M */
		return false;
	ssp->gp_pending_ = rank_bit(0) | rank_bit(1);
	__atomic_store_n(&ssp->gp_crowd_, 0, __ATOMIC_RELAXED);
	return true;
}

static void gp_end(struct srcu_struct *ssp)
{
	if (unlikely(ssp->gp_since_)) {
		uint64_t now = srcu_now_ns(), waited = now - ssp->gp_since_;

		if (waited > ssp->longest_ns_)
			__atomic_store_n(&ssp->longest_ns_, waited, __ATOMIC_RELAXED);
		ssp->gp_last_ = now;
		__atomic_store_n(&ssp->gp_since_, 0, __ATOMIC_RELAXED);
	}
	PROBE(gp_end, ssp, ssp->started_);
	INJECT(D);
	__atomic_store_n(&ssp->done_, ssp->started_, __ATOMIC_RELEASE); /* D */
}

/*
 * One step of the grace period under way, or of a new one; true when it ended.
 * Called under the lock.  The word is turned only while the rank that becomes
 * current has been seen quiescent and the other one is waited for, and only if
 * @turn: readers share its line, and a short section is over before it is theirs
 * again.
 */
__attribute__((always_inline)) static inline bool gp_advance(struct srcu_struct *ssp, bool turn)
{
	unsigned int current;

	if (!ssp->gp_pending_ && !gp_begin(ssp))
		return false;
	for (unsigned int rank = 0; rank < 2; rank++) {
		INJECT(RANK);
		if ((ssp->gp_pending_ & rank_bit(rank)) && srcu_gp_quiescent(ssp, rank))
			ssp->gp_pending_ &= ~rank_bit(rank);
	}
	if (!ssp->gp_pending_) {
		gp_end(ssp);
		return true;
	}
	current = word_rank(__atomic_load_n(&ssp->word_, __ATOMIC_RELAXED));
	INJECT(TURN);
	if (turn && ssp->gp_pending_ == rank_bit(current))
		__atomic_fetch_xor(&ssp->word_, WORD_RANK, __ATOMIC_RELAXED);
	INJECT(TURNED);
	return false;
}

/* Grace period @number and those before it are expedited from now on. */
void srcu_gp_hurry(struct srcu_struct *ssp, uint64_t number)
{
	raise_u64(&ssp->hurried_, number);
	/* The leader looks at hurried_ after gp_kick_, which it sleeps on. */
	__atomic_fetch_add(&ssp->gp_kick_, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ssp->gp_lock_, __ATOMIC_SEQ_CST))
		srcu_futex_wake(&ssp->gp_kick_);
	srcu_look_again(ssp);
}

/* Is the grace period under way, or the next if there is none, expedited? */
bool srcu_gp_hurried(const struct srcu_struct *ssp)
{
	return __atomic_load_n(&ssp->hurried_, __ATOMIC_ACQUIRE) >=
	       __atomic_load_n(&ssp->started_, __ATOMIC_RELAXED);
}

/* For how long the grace period under way has been known to take time. */
uint64_t srcu_gp_waited(const struct srcu_struct *ssp, uint64_t now)
{
	uint64_t since = __atomic_load_n(&ssp->gp_since_, __ATOMIC_RELAXED);

	return since && since < now ? now - since : 0;
}

/*
 * Under the lock: the grace period takes time.  Report it when that is more than the
 * limit there is now, and then than twice, four times... the limit.
 */
static uint64_t gp_note_wait(struct srcu_struct *ssp, uint64_t now)
{
	uint64_t waited = srcu_gp_waited(ssp, now), limit = srcu_stall_ns(ssp);

	if (!ssp->gp_since_) {
		__atomic_store_n(&ssp->gp_since_, now, __ATOMIC_RELAXED);
		ssp->gp_reported_ = 0;
	}
	while (limit <= ssp->gp_reported_)
		limit *= 2;
	if (unlikely(waited > limit)) {
		ssp->gp_reported_ = waited;
		srcu_stall_report(ssp, waited);
	}
	return waited;
}

/*
 * A grace period that is the first to take time for a while is expedited: a
 * domain that is seldom updated has no others to share it with.
 */
static void hurry_if_idle(struct srcu_struct *ssp, uint64_t now)
{
	if (!ssp->gp_since_ && now - ssp->gp_last_ > HOLDOFF_NS)
		raise_u64(&ssp->hurried_, ssp->started_);
}

/*
 * Spin, then yield, then sleep an eighth of the time spent: readers never wake
 * anybody, and the overshoot stays within that share.  False when the deadline
 * has passed.
 */
static bool gp_relax(struct srcu_struct *ssp, unsigned int looks, uint64_t deadline_ns)
{
	uint32_t kick = __atomic_load_n(&ssp->gp_kick_, __ATOMIC_ACQUIRE);
	uint64_t now, waited;
	bool hurried;

	/* A short section is over sooner than the clock is read. */
	if (looks < UNTIMED_LOOKS)
		return true;
	now = srcu_now_ns();
	if (now >= deadline_ns)
		return false;
	hurry_if_idle(ssp, now);
	waited = gp_note_wait(ssp, now);
	hurried = srcu_gp_hurried(ssp);
	if (waited < SPIN_NS) {
		cpu_relax();
	} else if (waited < (hurried ? YIELD_NS_EXP : YIELD_NS)) {
		sched_yield();
	} else {
		uint64_t most = hurried ? SLEEP_MAX_EXP : SLEEP_MAX_NS;
		uint64_t share = clamp_u64(SLEEP_MIN_NS, waited / 8, most);

		srcu_futex_wait(&ssp->gp_kick_, kick, min_u64(share, deadline_ns - now));
	}
	return true;
}

/* Advance under the lock until grace period @number has ended, or the deadline passed. */
static bool gp_lead(struct srcu_struct *ssp, uint64_t number, uint64_t deadline_ns)
{
	bool in_time = true;

	for (unsigned int looks = 0; in_time && ssp->done_ < number; looks++)
		if (!gp_advance(ssp, looks >= TURN_AFTER_LOOKS))
			in_time = gp_relax(ssp, looks, deadline_ns);
	return in_time;
}

/* The number of the first grace period that waits for all readers there are now. */
uint64_t srcu_gp_next(const struct srcu_struct *ssp)
{
	full_fence(); /* S */
	INJECT(S);
	/* One that has begun may have missed a reader that the caller cares for. */
	return __atomic_load_n(&ssp->started_, __ATOMIC_ACQUIRE) + 1;
}

bool srcu_gp_done(const struct srcu_struct *ssp, uint64_t number)
{
	return __atomic_load_n(&ssp->done_, __ATOMIC_ACQUIRE) >= number; /* D */
}

/* Somebody else has the lock.  Where that happens often, a tree is in place. */
static bool wait_for_leader(struct srcu_struct *ssp, uint64_t deadline_ns)
{
	if (__atomic_add_fetch(&ssp->gp_crowd_, 1, __ATOMIC_RELAXED) > SRCU_FANOUT)
		srcu_tree_grow(ssp);
	return srcu_wait_unlock(&ssp->gp_lock_, deadline_ns);
}

/* Wait until grace period @number has ended, leading it if nobody does. */
bool srcu_gp_wait(struct srcu_struct *ssp, uint64_t number, uint64_t deadline_ns)
{
	struct srcu_climb climb = {.number = number};
	bool led = srcu_gp_done(ssp, number), in_time = true;

	srcu_watch_exit();
	if (!led)
		in_time = srcu_tree_climb(ssp, &climb, deadline_ns);
	while (in_time && !srcu_gp_done(ssp, number)) {
		if (srcu_trylock(&ssp->gp_lock_)) {
			led = !srcu_gp_done(ssp, number);
			in_time = gp_lead(ssp, number, deadline_ns);
			srcu_unlock(&ssp->gp_lock_);
		} else {
			in_time = wait_for_leader(ssp, deadline_ns);
		}
	}
	srcu_tree_descend(ssp, &climb);
	if (!led && in_time)
		__atomic_fetch_add(&ssp->shared_, 1, __ATOMIC_RELAXED);
	INJECT(F);
	full_fence(); /* F */
	return in_time;
}

/*
 * Go on with what is under way or asked for, as far as that goes without
 * waiting.  Nothing happens while somebody leads.
 */
void srcu_gp_try(struct srcu_struct *ssp)
{
	uint64_t number = needed(ssp);

	if (!srcu_trylock(&ssp->gp_lock_))
		return;
	while (ssp->gp_pending_ || ssp->done_ < number) {
		if (!gp_advance(ssp, true)) {
			gp_note_wait(ssp, srcu_now_ns());
			break;
		}
	}
	srcu_unlock(&ssp->gp_lock_);
}
