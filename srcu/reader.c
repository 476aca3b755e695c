/* SPDX-License-Identifier: MIT */
/*
 * The readers out of line: for objects that may not inline restartable
 * sequences, and for what the inline ones hand over: a domain's first use, a
 * CPU not seen before, an aborted sequence, fenced and atomic domains, misuse.
 *
 * Where a section is counted:
 *   the CPU's words, by a restartable sequence   the usual domain
 *   the CPU's words, by atomic instructions      DOMAIN_ATOMIC, for all its readers
 *   the twin, by atomic instructions             when neither works out
 * A word is only ever counted on in one of these ways.
 *
 * Everything here is async-signal-safe and keeps errno.  @site is where the caller was
 * called, for reports and records.
 */
#include <errno.h>

#include "debug.h"
#include "percpu-memory.h"
#include "probe.h"

/* The token of a section in a domain that cannot be used. */
static struct srcu_ctr nowhere;

static struct srcu_ctr *twin(struct srcu_struct *ssp, uintptr_t ctr)
{
	return &ssp->twin_[word_rank(ctr)];
}

__attribute__((noinline)) static unsigned int ask_cpu(void)
{
	int saved_errno = errno, cpu = srcu_this_cpu();

	errno = saved_errno;
	return (unsigned int)cpu;
}

/* Where this thread runs, or ran a moment ago; no CPU's id when it cannot be told. */
static inline unsigned int cpu_hint(void)
{
#ifdef SRCU_RSEQ_INLINE
	int cpu = srcu_rseq_cpu_();

	if (likely(cpu >= 0))
		return (unsigned int)cpu;
#endif
	return ask_cpu();
}

/*
 * Where to count @ctr by atomic instructions when nothing is out of the
 * ordinary, or NULL: the domain is an atomic one, in use, and covers this CPU.
 * The word was loaded before the flags: only one that has its slot and is ready
 * says that the flags are its own.
 */
static inline struct srcu_ctr *usual_atomic_ctr(
	struct srcu_struct *ssp, uintptr_t word, uintptr_t ctr)
{
	unsigned int cpu = cpu_hint();

	if ((word & WORD_SLOT) && !(word & WORD_INIT) && (domain_flags(ssp) & DOMAIN_ATOMIC) &&
		cpu < __atomic_load_n(&ssp->cpus_, __ATOMIC_RELAXED))
		return ctr_on(ctr, cpu);
	return NULL;
}

/*
 * Where to count @ctr by atomic instructions.  NULL: it was counted, by a
 * restartable sequence.
 */
static struct srcu_ctr *unusual_ctr(
	struct srcu_struct *ssp, uintptr_t word, uintptr_t ctr, bool unlock)
{
	int cpu = srcu_this_cpu();

	if ((word & WORD_TWIN) || cpu < 0)
		return twin(ssp, ctr);
	if ((unsigned int)cpu >= __atomic_load_n(&ssp->cpus_, __ATOMIC_RELAXED) &&
		!srcu_domain_cover_cpu(ssp, word, (unsigned int)cpu))
		return twin(ssp, ctr);
	if (domain_flags(ssp) & DOMAIN_ATOMIC)
		return ctr_on(ctr, (unsigned int)cpu);
#ifdef SRCU_RSEQ_INLINE
	INJECT(COUNT);
	if (unlock ? srcu_rseq_inc_unlock_(ctr, &ssp->cpus_, 1)
		   : srcu_rseq_inc_lock_(ctr, &ssp->cpus_, 1))
		return NULL;
#endif
	(void)unlock;
	return twin(ssp, ctr);
}

/*
 * B comes after the count: in a fenced domain a full fence, which pairs with M,
 * the updater's own full fence.  Else a compiler barrier, which the updater's
 * membarrier turns into a full one.
 */
static inline void count_lock(const struct srcu_struct *ssp, struct srcu_ctr *at)
{
	INJECT(COUNT);
	if (at)
		__atomic_fetch_add(&at->srcu_locks, 1, __ATOMIC_RELAXED);
	INJECT(B);
	if (domain_flags(ssp) & DOMAIN_FENCED)
		full_fence_after_rmw(); /* B */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/*
 * R: the count is a store-release; it pairs with U, the updater's acquire.
 * Nothing of the domain is touched after it.
 */
static inline void count_unlock(struct srcu_ctr *at)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	INJECT(R);
	if (at)
		__atomic_fetch_add(&at->srcu_unlocks, 1, __ATOMIC_RELEASE);
}

/*
 * Count on the twin, by a release.  A handler that interrupts us may fork, and
 * the child come back here: false, with nothing counted, for then the domain has
 * left the slot or number of @word, and the twin has counts that it never had before.
 */
static bool count_on_twin(const struct srcu_struct *ssp, uintptr_t word, uint64_t *count)
{
	uint64_t old = __atomic_load_n(count, __ATOMIC_ACQUIRE);

	do {
		if ((token_word(ssp, __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED)) ^ word) &
			WORD_SLOT)
			return false;
		INJECT(TWIN);
	} while (!__atomic_compare_exchange_n(
		count, &old, old + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	return true;
}

__attribute__((cold, noinline)) static uintptr_t lock_unusual(
	struct srcu_struct *ssp, unsigned int kind, const void *site)
{
	int saved_errno = errno;
	struct srcu_ctr *at;
	uintptr_t word;

	PROBE(lock_slow, ssp, site);
	for (;;) {
		if (!srcu_domain_usable_at(ssp, srcu_lock_names[kind], site, &word)) {
			word = 0;
			break;
		}
		INJECT(WORD);
		word = token_word(ssp, word);
		at = unusual_ctr(ssp, word, word & ~WORD_TAGS, false);
		if (at == twin(ssp, word) && !count_on_twin(ssp, word, &at->srcu_locks))
			continue;
		count_lock(ssp, at == twin(ssp, word) ? NULL : at);
		break;
	}
	errno = saved_errno;
	return word;
}

/* Count a lock when nothing is out of the ordinary; the word, or 0 when nothing was done. */
static inline uintptr_t lock_usual(struct srcu_struct *ssp)
{
	struct srcu_ctr *at;
	uintptr_t word;

	if (unlikely(!ssp))
		return 0;
	word = __atomic_load_n(&ssp->word_, __ATOMIC_ACQUIRE);
	INJECT(WORD);
	at = usual_atomic_ctr(ssp, word, word & ~WORD_TAGS);
	if (unlikely(!at))
		return 0;
	count_lock(ssp, at);
	return word;
}

/*
 * Count a lock unless lock_usual() did, which returned @word.  The mode is looked at when
 * the lock is counted: who switches it relies on that.
 */
static uintptr_t lock(struct srcu_struct *ssp, uintptr_t word, unsigned int kind, const void *site)
{
	if (!word)
		word = lock_unusual(ssp, kind, site);
	if (likely(word) && srcu_debugged(ssp))
		srcu_debug_lock(ssp, word & ~WORD_TAGS, kind, site);
	return word;
}

/* Does @ctr, an address in CPU 0's slice or a rank bit alone, belong to the domain? */
static bool token_fits(uintptr_t word, uintptr_t ctr)
{
	return !(ctr & WORD_TAGS) && (ctr & WORD_SLOT) == (word & WORD_SLOT);
}

/* Is the token one of a section that began before a fork that made this process? */
static bool inherited(const struct srcu_struct *ssp, uintptr_t word, uintptr_t ctr)
{
	if ((word & WORD_TWIN) && ssp->slot_generation_ && ctr >> 5 && ctr >> 5 <= TWIN_NUMBERS)
		return true;
	return srcu_percpu_owner(PERCPU_SLOTS, ctr & WORD_SLOT) == srcu_owner_gone(ssp);
}

static void count_unlock_unusual(struct srcu_struct *ssp, uintptr_t word, uintptr_t ctr)
{
	struct srcu_ctr *at = unusual_ctr(ssp, word, ctr, true);

	if (at == twin(ssp, ctr))
		count_on_twin(ssp, word, &at->srcu_unlocks); /* else it is inherited by now */
	else
		count_unlock(at);
}

__attribute__((cold, noinline)) static void unlock_unusual(
	struct srcu_struct *ssp, uintptr_t ctr, unsigned int kind, const void *site)
{
	int saved_errno = errno;
	uintptr_t word;

	if (srcu_domain_usable_at(ssp, srcu_unlock_names[kind], site, &word)) {
		word = token_word(ssp, word);
		if (!token_fits(word, ctr)) {
			if (!inherited(ssp, word, ctr))
				srcu_warn_at(ssp, site, "%s: the token is not one of this domain's",
					srcu_unlock_names[kind]);
		} else if (!srcu_debugged(ssp) || srcu_debug_unlock(ssp, ctr, kind, site)) {
			count_unlock_unusual(ssp, word, ctr);
		}
	}
	errno = saved_errno;
}

static void unlock(struct srcu_struct *ssp, uintptr_t ctr, unsigned int kind, const void *site)
{
	if (likely(ssp != NULL)) {
		uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_ACQUIRE);
		struct srcu_ctr *at = usual_atomic_ctr(ssp, word, ctr);

		if (likely(at != NULL) && likely(token_fits(word, ctr)) && !srcu_debugged(ssp)) {
			count_unlock(at);
			return;
		}
	}
	unlock_unusual(ssp, ctr, kind, site);
}

/*
 * The six below are the inline readers once more, and then what they leave to
 * this file.
 */
__attribute__((cold, noinline)) static struct srcu_ctr *lock_fast_unusual(
	struct srcu_struct *ssp, uintptr_t word, unsigned int kind, const void *site)
{
	word = lock(ssp, word, kind, site);
	return likely(word) ? (struct srcu_ctr *)(word & ~WORD_TAGS) : &nowhere;
}

__attribute__((noinline)) static struct srcu_ctr *lock_fast(
	struct srcu_struct *ssp, unsigned int kind, const void *site)
{
	uintptr_t word = lock_usual(ssp);

	if (likely(word) && likely(!srcu_debugged(ssp)))
		return (struct srcu_ctr *)(word & ~WORD_TAGS);
	return lock_fast_unusual(ssp, word, kind, site);
}

struct srcu_ctr *__srcu_read_lock_fast(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (likely(srcu_lock_inline_(ssp, &word)))
		return (struct srcu_ctr *)word;
	return lock_fast(ssp, READ_FAST, CALL_SITE);
}

struct srcu_ctr *__srcu_down_read_fast(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (likely(srcu_lock_inline_(ssp, &word)))
		return (struct srcu_ctr *)word;
	return lock_fast(ssp, READ_FAST | READ_DOWN, CALL_SITE);
}

__attribute__((noinline)) static void unlock_fast(
	struct srcu_struct *ssp, struct srcu_ctr *scp, const void *site)
{
	unlock(ssp, (uintptr_t)scp, READ_FAST, site);
}

void __srcu_read_unlock_fast(struct srcu_struct *ssp, struct srcu_ctr *scp)
{
#ifdef SRCU_RSEQ_INLINE
	if (likely(ssp != NULL) && likely(srcu_rseq_inc_unlock_((uintptr_t)scp, &ssp->mark_, 1)))
		return;
#endif
	unlock_fast(ssp, scp, CALL_SITE);
}

__attribute__((cold, noinline)) static int lock_int_unusual(
	struct srcu_struct *ssp, uintptr_t word, unsigned int kind, const void *site)
{
	return srcu_int_token_(lock(ssp, word, kind, site));
}

__attribute__((noinline)) static int lock_int(
	struct srcu_struct *ssp, unsigned int kind, const void *site)
{
	uintptr_t word = lock_usual(ssp);

	if (likely(word) && likely(!srcu_debugged(ssp)))
		return srcu_int_token_(word);
	return lock_int_unusual(ssp, word, kind, site);
}

int __srcu_read_lock(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (likely(srcu_lock_inline_(ssp, &word)))
		return srcu_int_token_(word);
	return lock_int(ssp, 0, CALL_SITE);
}

int __srcu_down_read(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (likely(srcu_lock_inline_(ssp, &word)))
		return srcu_int_token_(word);
	return lock_int(ssp, READ_DOWN, CALL_SITE);
}

__attribute__((noinline)) static void unlock_int(struct srcu_struct *ssp, int idx, const void *site)
{
	uintptr_t ctr = likely(idx > LAST_TWIN_TOKEN) ? srcu_percpu_at((unsigned int)idx)
						      : (uintptr_t)(unsigned int)idx << 4;

	unlock(ssp, ctr, 0, site);
}

void __srcu_read_unlock(struct srcu_struct *ssp, int idx)
{
#ifdef SRCU_RSEQ_INLINE
	if (likely(ssp != NULL) && likely(idx >= 0)) {
		uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED);
		uintptr_t ctr = srcu_token_ctr_(word, idx);

		if (likely(token_fits(word, ctr)) &&
			likely(srcu_rseq_inc_unlock_(ctr, &ssp->mark_, 1)))
			return;
	}
#endif
	unlock_int(ssp, idx, CALL_SITE);
}
