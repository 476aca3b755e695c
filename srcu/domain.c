/* SPDX-License-Identifier: MIT */
/*
 * A domain's life: initialisation, at run time or lazily at its first use,
 * which may be in a signal handler; covering further CPUs; clean-up.
 */
#include <errno.h>
#include <string.h>

#include "debug.h"
#include "percpu-memory.h"

/*
 * Let readers below @mark count inline, unless the domain is in debug mode.  One that
 * is switched to it at this moment may have a section end inline that left a record,
 * which then stays: the mode's counts are made to be too high.
 */
static void raise_mark(struct srcu_struct *ssp, unsigned int mark)
{
	if (INJECTING)
		return;
	raise_u32(&ssp->mark_, mark);
	full_fence(); /* the flag is set before the mark is put to 0 the last time */
	if (srcu_debugged(ssp))
		__atomic_store_n(&ssp->mark_, 0, __ATOMIC_RELAXED);
}

/*
 * Make readers on @cpu count there and scans look there.  The memory comes
 * before cpus_, since a scan reads what it covers, and cpus_ before mark_:
 * whoever counts on a CPU because the mark says so is found by a scan (K).
 *
 * Inline readers load the mark without acquire.  Their release of an unlock (R) is behind
 * that load, and on x86-64 and aarch64, the only ones to have such readers, a store that
 * another CPU has seen is seen by all: who acquires the unlock (U) sees cpus_, too.  C11
 * alone does not say so; a processor without that needs an acquire in its sequence.  See
 * test/model/litmus/cover*.litmus.
 */
bool srcu_domain_cover_cpu(struct srcu_struct *ssp, uintptr_t word, unsigned int cpu)
{
	if (cpu >= nr_possible_cpus() || !srcu_percpu_open(word & WORD_SLOT, cpu))
		return false;
	raise_u32(&ssp->cpus_, cpu + 1);
	INJECT(MARK);
	if (!(word & WORD_SLOW))
		raise_mark(ssp, cpu + 1);
	return true;
}

/*
 * What a domain whose word has WORD_INIT still needs.  Whoever meets the tag
 * does it: the one who set it may be the thread below this signal handler.
 * Doing it twice does no harm.
 *
 * A slot that had an owner before keeps its counts: they balance over all CPUs
 * that the owner covered, so the new owner covers them from the start.
 */
static uintptr_t finish_init(struct srcu_struct *ssp, uintptr_t word)
{
	uintptr_t ready = word & ~(WORD_INIT | WORD_SLOW);
	unsigned int opened = srcu_percpu_opened(word & WORD_SLOT);
	uint32_t flags = srcu_debug_wanted(ssp);

	if (!srcu_have_membarrier())
		flags |= DOMAIN_FENCED;
	if (srcu_forced(FORCE_CLASSIC))
		flags |= DOMAIN_CLASSIC;
	flags |= domain_flags(ssp);
	if ((flags & DOMAIN_FENCED) || !srcu_have_rseq())
		flags |= DOMAIN_ATOMIC;
	__atomic_fetch_or(&ssp->flags_, flags, __ATOMIC_RELAXED);
	if (srcu_forced(FORCE_TREE))
		srcu_tree_grow(ssp);
	raise_u32(&ssp->cpus_, opened);
	if (flags & (DOMAIN_ATOMIC | DOMAIN_DEBUG))
		ready |= WORD_SLOW;
	else
		raise_mark(ssp, opened);
	/* Release: the domain is ready before its word says so. */
	if (__atomic_compare_exchange_n(
		    &ssp->word_, &word, ready, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return ready;
	return word;
}

static void drop_slot(uintptr_t slot)
{
	srcu_percpu_set_owner(slot, NULL);
	srcu_percpu_give(PERCPU_SLOTS, slot);
}

/* WORD_UNINIT to a slot with WORD_INIT, or to WORD_TWIN without memory. */
static uintptr_t take_slot(struct srcu_struct *ssp)
{
	uintptr_t slot, word, uninit = WORD_UNINIT;

	srcu_setup();
	/* Nobody has queued callbacks before the word says that there is a slot. */
	__atomic_store_n(&ssp->generation_, srcu_generation(), __ATOMIC_RELAXED);
	slot = srcu_percpu_take(PERCPU_SLOTS, 1, 1);
	/* Before the word: a fork in between finds the domain by its slot. */
	if (slot)
		srcu_percpu_set_owner(slot, ssp);
	word = slot ? slot | WORD_INIT | WORD_SLOW : WORD_TWIN | WORD_SLOW;
	if (!slot) {
		__atomic_fetch_or(&ssp->flags_,
			srcu_debug_wanted(ssp) | (srcu_have_membarrier() ? 0 : DOMAIN_FENCED),
			__ATOMIC_RELAXED);
		srcu_slotless_add(ssp);
	}
	if (__atomic_compare_exchange_n(
		    &ssp->word_, &uninit, word, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		/* Once more: a handler that forked in between found it nobody's. */
		if (slot)
			srcu_percpu_set_owner(slot, ssp);
		return word;
	}
	if (slot)
		drop_slot(slot);
	return uninit;
}

/* The domain's word, initialising it if that is still to be done. */
uintptr_t srcu_domain_word(struct srcu_struct *ssp)
{
	uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_ACQUIRE);

	while (unlikely(word == WORD_UNINIT || (word & WORD_INIT)))
		word = word == WORD_UNINIT ? take_slot(ssp) : finish_init(ssp, word);
	return word;
}

/* Report a domain that cannot be used; else give its word. */
bool srcu_domain_usable_at(
	struct srcu_struct *ssp, const char *function, const void *site, uintptr_t *word)
{
	if (!ssp) {
		srcu_warn_at(NULL, site, "%s: the domain is NULL", function);
		return false;
	}
	if (ssp->magic_ != SRCU_MAGIC_) {
		srcu_warn_at(ssp, site, "%s: the domain was never initialised", function);
		return false;
	}
	srcu_notice_fork();
	*word = srcu_domain_word(ssp);
	if (*word & WORD_DEAD) {
		srcu_warn_at(ssp, site, "%s: the domain was cleaned up before", function);
		return false;
	}
	return true;
}

static bool options_valid(const struct srcu_options *options)
{
	for (size_t i = 0; i < sizeof(options->reserved) / sizeof(options->reserved[0]); i++)
		if (options->reserved[i])
			return false;
	return (unsigned int)options->readers <= SRCU_READERS_FENCED &&
	       (unsigned int)options->updates <= SRCU_UPDATES_TREE &&
	       (unsigned int)options->callbacks <= SRCU_CALLBACKS_CALLER;
}

int init_srcu_struct_with(struct srcu_struct *ssp, const struct srcu_options *options)
{
	static const struct srcu_options defaults;

	if (!options)
		options = &defaults;
	if (!ssp || !options_valid(options))
		return -EINVAL;
	if (options->readers == SRCU_READERS_MEMBARRIER && !srcu_have_membarrier())
		return -EOPNOTSUPP;
	srcu_notice_fork();
	memset(ssp, 0, sizeof(*ssp));
	ssp->word_ = WORD_UNINIT;
	ssp->name_ = options->name;
	ssp->magic_ = SRCU_MAGIC_;
	ssp->flags_ = options->readers == SRCU_READERS_FENCED ? DOMAIN_FENCED : 0;
	if (options->updates == SRCU_UPDATES_CLASSIC)
		ssp->flags_ |= DOMAIN_CLASSIC;
	if (options->debug)
		ssp->flags_ |= DOMAIN_DEBUG | DOMAIN_COUNTED;
	if (options->callbacks == SRCU_CALLBACKS_CALLER) {
		ssp->flags_ |= DOMAIN_CALLER;
		ssp->active_ = DOMAIN_ACTIVE; /* for good: the thread never hears of it */
	}
	if (!(srcu_domain_word(ssp) & WORD_TWIN)) {
		if (options->callbacks == SRCU_CALLBACKS_THREADS)
			srcu_start_callbacks(); /* refused: updaters run the callbacks */
		return 0;
	}
	ssp->word_ = WORD_DEAD | WORD_SLOW;
	srcu_slotless_remove(ssp);
	srcu_debug_end(ssp);
	return -ENOMEM;
}

int init_srcu_struct(struct srcu_struct *ssp)
{
	return init_srcu_struct_with(ssp, NULL);
}

/*
 * The slot's next owner finds its counts balanced: what this domain counted on
 * its twin goes to CPU 0's words.  Nobody counts there any more.  The twin is
 * left at rest for a grace period that was asked for too late.
 */
static void give_slot(struct srcu_struct *ssp, uintptr_t slot)
{
	bool folded = true;

	for (unsigned int rank = 0; rank < 2; rank++) {
		struct srcu_ctr *ctr = (struct srcu_ctr *)(slot | (rank ? WORD_RANK : 0));
		uint64_t locks =
			__atomic_exchange_n(&ssp->twin_[rank].srcu_locks, 0, __ATOMIC_RELAXED);
		uint64_t unlocks =
			__atomic_exchange_n(&ssp->twin_[rank].srcu_unlocks, 0, __ATOMIC_RELAXED);

		if (!locks && !unlocks)
			continue;
		folded = srcu_percpu_open(slot, 0);
		if (!folded)
			break;
		__atomic_fetch_add(&ctr->srcu_locks, locks, __ATOMIC_RELAXED);
		__atomic_fetch_add(&ctr->srcu_unlocks, unlocks, __ATOMIC_RELAXED);
	}
	if (folded)
		drop_slot(slot);
	else
		srcu_percpu_set_owner(slot, NULL);
}

/* The fresh slot, as accessible as the domain's old one was; 0: no memory. */
static uintptr_t fresh_slot(struct srcu_struct *ssp)
{
	uintptr_t slot = srcu_percpu_take(PERCPU_SLOTS, 1, 1);

	if (slot && ssp->cpus_ && !srcu_percpu_open(slot, ssp->cpus_ - 1)) {
		srcu_percpu_give(PERCPU_SLOTS, slot);
		slot = 0;
	}
	if (slot)
		srcu_percpu_set_owner(slot, ssp);
	return slot;
}

/* Cover what the slot's owner before did, whose counts it has. */
static void cover_slot(struct srcu_struct *ssp, uintptr_t word)
{
	unsigned int opened = srcu_percpu_opened(word & WORD_SLOT);

	raise_u32(&ssp->cpus_, opened);
	if (!(word & WORD_SLOW))
		raise_mark(ssp, opened);
}

/* Nobody is counted on the twin, and it has counts that no count_on_twin() has seen. */
static void empty_twin(struct srcu_struct *ssp)
{
	for (unsigned int rank = 0; rank < 2; rank++) {
		struct srcu_ctr *ctr = &ssp->twin_[rank];
		uint64_t most =
			ctr->srcu_locks > ctr->srcu_unlocks ? ctr->srcu_locks : ctr->srcu_unlocks;

		__atomic_store_n(&ctr->srcu_locks, most + 1, __ATOMIC_RELAXED);
		__atomic_store_n(&ctr->srcu_unlocks, most + 1, __ATOMIC_RELAXED);
	}
}

/*
 * In the child of a fork: sections that began before are over as far as the child is
 * concerned.  False when this was done.
 */
static bool forget_sections(struct srcu_struct *ssp)
{
	if (ssp->slot_generation_ == srcu_generation())
		return false;
	__atomic_store_n(&ssp->slot_generation_, srcu_generation(), __ATOMIC_RELAXED);
	empty_twin(ssp);
	srcu_debug_after_fork(ssp);
	srcu_tree_forget(ssp);
	return true;
}

/*
 * The same for a domain that was found by its @slot, which the sections of before keep;
 * the domain takes a fresh one.  Without memory it is left with its twin.
 */
void srcu_domain_after_fork(struct srcu_struct *ssp, uintptr_t slot)
{
	uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED), fresh;

	if ((word & WORD_SLOT) != slot) {
		srcu_percpu_set_owner(slot, srcu_owner_gone(ssp));
		return; /* not the domain's yet, or about to be given back */
	}
	if (!forget_sections(ssp))
		return; /* the fresh one, which this walk comes by as well */
	fresh = fresh_slot(ssp);
	if (fresh) {
		word = (word & ~WORD_SLOT) | fresh;
		cover_slot(ssp, word);
	} else {
		__atomic_store_n(&ssp->mark_, 0, __ATOMIC_RELAXED);
		word = WORD_TWIN | WORD_SLOW;
		srcu_slotless_add(ssp);
	}
	__atomic_store_n(&ssp->word_, word, __ATOMIC_RELEASE);
	srcu_percpu_set_owner(slot, srcu_owner_gone(ssp));
	srcu_rejoin(ssp);
}

/* The same for one without a slot, whose tokens have another number from now on. */
void srcu_slotless_after_fork(struct srcu_struct *ssp)
{
	if ((__atomic_load_n(&ssp->word_, __ATOMIC_RELAXED) & WORD_TWIN) && forget_sections(ssp))
		srcu_rejoin(ssp);
}

static int barrier_refused(const struct srcu_struct *ssp, const char *function, const void *site)
{
	srcu_warn_at(ssp, site, "%s: no barrier is allowed that would show who uses it", function);
	return -EBUSY;
}

/* Under the grace-period lock: 0 when nothing is left, else what was reported. */
static int check_idle(struct srcu_struct *ssp, const char *function, const void *site)
{
	char text[READERS_TEXT];

	if (!srcu_barrier_all_readers(ssp))
		return barrier_refused(ssp, function, site);
	if (!ssp->gp_pending_ && srcu_gp_quiescent(ssp, 0) && srcu_gp_quiescent(ssp, 1))
		return 0;
	srcu_warn_at(ssp, site, "%s: %s", function, srcu_describe_readers(ssp, text));
	return -EBUSY;
}

/* How many callbacks have not returned; reported unless none. */
static uint64_t callbacks_left(struct srcu_struct *ssp, const char *function, const void *site)
{
	uint64_t left = srcu_callbacks_left(ssp);

	if ((int64_t)left <= 0)
		return 0;
	srcu_warn_at(ssp, site,
		"%s: %llu callback(s) have not returned: "
		"srcu_barrier() is missing",
		function, (unsigned long long)left);
	return left;
}

/* Under the grace-period lock. */
static void give_all(struct srcu_struct *ssp)
{
	uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED);

	__atomic_store_n(&ssp->word_, WORD_DEAD | WORD_SLOW, __ATOMIC_RELAXED);
	__atomic_store_n(&ssp->mark_, 0, __ATOMIC_RELAXED);
	srcu_callbacks_release(ssp);
	srcu_tree_release(ssp);
	srcu_debug_end(ssp);
	srcu_slotless_remove(ssp);
	if (!(word & WORD_TWIN))
		give_slot(ssp, word & WORD_SLOT);
}

/*
 * End the use of a domain without callbacks and free what it holds.  A handler that
 * forked meanwhile would have the child move to another slot.
 */
static int end_use(struct srcu_struct *ssp, const char *function, const void *site)
{
	sigset_t before;
	int error;

	srcu_block_signals(&before);
	if (srcu_trylock(&ssp->gp_lock_)) {
		error = check_idle(ssp, function, site);
		if (!error)
			give_all(ssp);
		srcu_unlock(&ssp->gp_lock_);
	} else {
		srcu_warn_at(ssp, site, "%s: a grace period is under way", function);
		error = -EBUSY;
	}
	srcu_restore_signals(&before);
	return error;
}

int cleanup_srcu_struct(struct srcu_struct *ssp)
{
	uintptr_t word, uninit = WORD_UNINIT;

	if (ssp && ssp->magic_ == SRCU_MAGIC_ &&
		__atomic_compare_exchange_n(&ssp->word_, &uninit, WORD_DEAD | WORD_SLOW, false,
			__ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		/* A first use may have been left behind by a fork. */
		srcu_slotless_remove(ssp);
		srcu_debug_end(ssp);
		return 0;
	}
	if (!srcu_domain_usable(ssp, __func__, &word))
		return -EINVAL;
	srcu_gp_try(ssp); /* what was polled for, or left at a time-out */
	if (callbacks_left(ssp, __func__, CALL_SITE))
		return -EBUSY;
	if (!srcu_await_inactive(ssp))
		return barrier_refused(ssp, __func__, CALL_SITE);
	return end_use(ssp, __func__, CALL_SITE);
}

/*
 * Wait for what callbacks are left, and for the library's threads, however long they
 * are refused what they need, and end the use; false when that cannot be.
 */
static bool end_unloaded(struct srcu_struct *ssp, const char *function, const void *site)
{
	if (srcu_in_callback(ssp)) {
		srcu_warn_at(ssp, site,
			"%s: in a callback of the domain: the callback must not return, "
			"the domain is gone",
			function);
		return false;
	}
	srcu_gp_try(ssp);
	if (callbacks_left(ssp, function, site) && srcu_barrier_at(ssp, function, site))
		return false;
	while (!srcu_await_inactive(ssp))
		;
	return !end_use(ssp, function, site);
}

/*
 * The destructor of an object that is unloaded.  What is left goes with it, so
 * callbacks are waited for here, while their code is still there, and so are the
 * library's threads, however long they are refused what they need.  A slot that
 * has to be left behind is nobody's: a fork must not look for its domain, nor
 * a dump.
 */
void srcu_unload_(struct srcu_struct *ssp)
{
	static const char unloading[] = "dlclose";
	uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_ACQUIRE);

	if (word == WORD_UNINIT || (word & WORD_DEAD) || srcu_exiting() ||
		!srcu_domain_usable(ssp, unloading, &word) ||
		end_unloaded(ssp, unloading, CALL_SITE))
		return;
	srcu_debug_end(ssp);
	srcu_slotless_remove(ssp);
	word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED); /* after a fork another one */
	if (word & WORD_SLOT)
		srcu_percpu_set_owner(word & WORD_SLOT, NULL);
}
