/* SPDX-License-Identifier: MIT */
/*
 * The reader side, inline where that is allowed.  Part of <srcu/srcu.h>.
 */
#ifndef SRCU_READER_H
#define SRCU_READER_H

#ifndef SRCU_SRCU_H
#error "include <srcu/srcu.h> instead"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The out-of-line readers: same contract as the inline ones below. */
SRCU_SHORT_API_ int __srcu_read_lock(struct srcu_struct *ssp);
SRCU_SHORT_API_ void __srcu_read_unlock(struct srcu_struct *ssp, int idx);
SRCU_SHORT_API_ struct srcu_ctr *__srcu_read_lock_fast(struct srcu_struct *ssp);
SRCU_SHORT_API_ void __srcu_read_unlock_fast(struct srcu_struct *ssp, struct srcu_ctr *scp);
SRCU_SHORT_API_ int __srcu_down_read(struct srcu_struct *ssp);
SRCU_SHORT_API_ struct srcu_ctr *__srcu_down_read_fast(struct srcu_struct *ssp);

/*
 * Also where the compiler does not optimise: the out-of-line functions take their
 * caller for the call site that is reported.
 */
#define SRCU_ALWAYS_INLINE_ inline __attribute__((always_inline))
#define SRCU_INLINE_        static SRCU_ALWAYS_INLINE_

#ifdef SRCU_TSAN
/* For a library that was built without TSan: what the sections order. */
extern void __tsan_acquire(void *);
extern void __tsan_release(void *);
#define srcu_tsan_acquire_(p) __tsan_acquire(p)
#define srcu_tsan_release_(p) __tsan_release(p)
#else
#define srcu_tsan_acquire_(p) ((void)(p))
#define srcu_tsan_release_(p) ((void)(p))
#endif

/* Lock by a restartable sequence; false, with nothing done, where that does not work out. */
static inline bool srcu_lock_inline_(struct srcu_struct *ssp, uintptr_t *word)
{
#ifdef SRCU_RSEQ_INLINE
	if (srcu_likely_(ssp != NULL)) {
		*word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED);
		return srcu_likely_(!(*word & 1)) &&
		       srcu_likely_(srcu_rseq_inc_lock_(*word, &ssp->mark_, 1));
	}
#else
	(void)ssp;
	*word = 0;
#endif
	return false;
}

static inline int srcu_int_token_(uintptr_t word)
{
	return (int)((word >> 4) & 0x7fffffff);
}

#ifdef SRCU_RSEQ_INLINE
/* All counters lie in one window: the word has the upper bits of their addresses. */
static inline uintptr_t srcu_token_ctr_(uintptr_t word, int idx)
{
	uintptr_t window = word >> SRCU_WINDOW_SHIFT_ << SRCU_WINDOW_SHIFT_;

	return window | (uintptr_t)(unsigned int)idx << 4;
}
#endif

/**
 * srcu_read_lock_fast - begin a read-side critical section
 * @ssp: the domain
 *
 * Until the matching unlock no grace period of @ssp that begins from now on
 * ends.  Sections nest, overlap and may block.  A domain that is NULL, was
 * never initialised or was cleaned up is reported to the warn handler and
 * protects nothing.
 *
 * Context: any, signal handlers included; keeps errno.  Not a vfork() child.
 * Never blocks.
 * Ordering: a compiler barrier (barrier B of srcu(7) makes it a full one where
 * a grace period is concerned); smp_mb__after_srcu_read_lock() is the fence for
 * code that needs one towards third threads.
 * Return: the token for srcu_read_unlock_fast(), never NULL.
 * Origin: Linux, srcu_read_lock_fast().
 */
SRCU_INLINE_ struct srcu_ctr *srcu_read_lock_fast(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (srcu_likely_(srcu_lock_inline_(ssp, &word)))
		return (struct srcu_ctr *)word;
	return __srcu_read_lock_fast(ssp);
}

/**
 * srcu_read_unlock_fast - end a read-side critical section
 * @ssp: the domain
 * @scp: the token that its srcu_read_lock_fast() returned
 *
 * Nothing of the domain is touched after the count that ends the section.
 *
 * A token of another domain is reported where that can be told, and not counted.
 *
 * Context: any, signal handlers included, on any thread; keeps errno.  Not a
 * vfork() child.  Never blocks.
 * Ordering: the section's accesses come before the count (store-release).
 * Origin: Linux, srcu_read_unlock_fast().
 */
SRCU_INLINE_ void srcu_read_unlock_fast(struct srcu_struct *ssp, struct srcu_ctr *scp)
{
	srcu_tsan_release_(ssp);
#ifdef SRCU_RSEQ_INLINE
	if (srcu_likely_(ssp != NULL) &&
		srcu_likely_(srcu_rseq_inc_unlock_((uintptr_t)scp, &ssp->mark_, 1)))
		return;
#endif
	__srcu_read_unlock_fast(ssp, scp);
}

/**
 * srcu_read_lock - begin a read-side critical section, with an int for a token
 * @ssp: the domain
 *
 * As srcu_read_lock_fast(), a fraction slower.
 *
 * Context and ordering: as srcu_read_lock_fast().
 * Return: the token for srcu_read_unlock(), never negative.  Not just 0 or 1 as
 * in Linux: a token names the domain's counters.
 * Origin: Linux, srcu_read_lock(); there it is a full barrier, here it is not.
 */
SRCU_INLINE_ int srcu_read_lock(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (srcu_likely_(srcu_lock_inline_(ssp, &word)))
		return srcu_int_token_(word);
	return __srcu_read_lock(ssp);
}

/**
 * srcu_read_unlock - end a section that srcu_read_lock() began
 * @ssp: the domain
 * @idx: the token that its srcu_read_lock() returned
 *
 * Context and ordering: as srcu_read_unlock_fast().
 * Origin: Linux, srcu_read_unlock().
 */
SRCU_INLINE_ void srcu_read_unlock(struct srcu_struct *ssp, int idx)
{
	srcu_tsan_release_(ssp);
#ifdef SRCU_RSEQ_INLINE
	if (srcu_likely_(ssp != NULL)) {
		uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED);
		uintptr_t ctr = srcu_token_ctr_(word, idx);

		if (srcu_likely_(srcu_rseq_inc_unlock_(ctr, &ssp->mark_, 1)))
			return;
	}
#endif
	__srcu_read_unlock(ssp, idx);
}

/*
 * Linux's names for readers that tracers and handlers of NMIs may be, and the other
 * ones of a domain must be then: here all are.
 */
SRCU_INLINE_ int srcu_read_lock_notrace(struct srcu_struct *ssp)
{
	return srcu_read_lock(ssp);
}

SRCU_INLINE_ void srcu_read_unlock_notrace(struct srcu_struct *ssp, int idx)
{
	srcu_read_unlock(ssp, idx);
}

SRCU_INLINE_ int srcu_read_lock_nmisafe(struct srcu_struct *ssp)
{
	return srcu_read_lock(ssp);
}

SRCU_INLINE_ void srcu_read_unlock_nmisafe(struct srcu_struct *ssp, int idx)
{
	srcu_read_unlock(ssp, idx);
}

/**
 * srcu_down_read, srcu_up_read - a section that may end in another thread
 * @ssp: the domain
 * @idx: the token from srcu_down_read()
 *
 * The token may be handed to another thread, which ends the section.  They are
 * srcu_read_lock() and srcu_read_unlock() under the names that say so: in debug
 * mode a thread that waits for a grace period inside srcu_read_lock() is
 * reported, inside srcu_down_read() it is not.  The token must be handed over with
 * ordering enough for its own sake, such as by a lock or a release.
 *
 * Context and ordering: as srcu_read_lock() and srcu_read_unlock(); any thread may
 * end the section, a signal handler too.
 * Return: srcu_down_read(): the token for srcu_up_read(), never negative.
 * Origin: Linux, srcu_down_read() and srcu_up_read(); there not in NMI handlers.
 */
SRCU_INLINE_ int srcu_down_read(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (srcu_likely_(srcu_lock_inline_(ssp, &word)))
		return srcu_int_token_(word);
	return __srcu_down_read(ssp);
}

SRCU_INLINE_ void srcu_up_read(struct srcu_struct *ssp, int idx)
{
	srcu_read_unlock(ssp, idx);
}

/**
 * srcu_down_read_fast, srcu_up_read_fast - the same with a pointer for a token
 * @ssp: the domain
 * @scp: the token from srcu_down_read_fast()
 *
 * As srcu_down_read() and srcu_up_read(), a fraction faster.
 *
 * Context and ordering: as srcu_read_lock_fast() and srcu_read_unlock_fast(); any
 * thread may end the section, a signal handler too.
 * Return: srcu_down_read_fast(): the token for srcu_up_read_fast(), never NULL.
 * Origin: Linux, srcu_down_read_fast() and srcu_up_read_fast().
 */
SRCU_INLINE_ struct srcu_ctr *srcu_down_read_fast(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (srcu_likely_(srcu_lock_inline_(ssp, &word)))
		return (struct srcu_ctr *)word;
	return __srcu_down_read_fast(ssp);
}

SRCU_INLINE_ void srcu_up_read_fast(struct srcu_struct *ssp, struct srcu_ctr *scp)
{
	srcu_read_unlock_fast(ssp, scp);
}

struct srcu_guard_ {
	struct srcu_struct *ssp;
	struct srcu_ctr *scp;
};

SRCU_INLINE_ struct srcu_guard_ srcu_guard_begin_(struct srcu_struct *ssp)
{
	struct srcu_guard_ guard = {ssp, srcu_read_lock_fast(ssp)};

	return guard;
}

SRCU_INLINE_ void srcu_guard_end_(const struct srcu_guard_ *guard)
{
	srcu_read_unlock_fast(guard->ssp, guard->scp);
}

#define SRCU_GUARD_NAME__(n) srcu_guard_##n##_
#define SRCU_GUARD_NAME_(n)  SRCU_GUARD_NAME__(n)

/**
 * srcu_guard - a section as long as the scope that this stands in
 * @ssp: the domain
 *
 * A declaration: the section begins here and ends where the scope is left, by
 * whatever return, break or goto, and in C++ by an exception.  longjmp() leaves
 * it open, and so does the cancellation of a thread in C that was compiled
 * without -fexceptions.
 *
 * Context and ordering: as srcu_read_lock_fast() and srcu_read_unlock_fast().
 * Origin: Linux, guard(srcu)(ssp).
 */
#define srcu_guard(ssp)                                                            \
	__attribute__((cleanup(srcu_guard_end_), unused)) const struct srcu_guard_ \
	SRCU_GUARD_NAME_(__COUNTER__) = srcu_guard_begin_(ssp)

/**
 * smp_mb__after_srcu_read_lock, smp_mb__after_srcu_read_unlock - full fences
 *
 * Linux's srcu_read_lock() and srcu_read_unlock() are full barriers and these
 * are empty there.  Here the readers are not, and these are the fences: code
 * that came from the kernel and relied on the barrier needs one of them.  Towards
 * grace periods no reader needs them.
 *
 * Context: any, signal handlers included.
 * Ordering: all accesses before come before all accesses after, for every thread.
 * Origin: Linux, by the names.
 */
static inline void smp_mb__after_srcu_read_lock(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void smp_mb__after_srcu_read_unlock(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/**
 * srcu_dereference - load a pointer that the domain's readers may follow
 * @p: the pointer, as an lvalue
 * @ssp: the domain whose section the caller is in; evaluated, and not looked at
 *
 * Also for updaters, under their lock.
 *
 * Context: a section of @ssp, signal handlers included, until the last use of what
 * the pointer leads to; never blocks.
 * Ordering: accesses through the pointer come after its load (consume).
 * Return: the pointer, with the type of @p.
 * Origin: Linux, srcu_dereference(); there it is checked that the caller is in a
 * section, here it is not.
 */
#define srcu_dereference(p, ssp) ((void)(ssp), __atomic_load_n(&(p), __ATOMIC_CONSUME))

/**
 * srcu_assign_pointer - publish a pointer to readers
 * @p: the pointer, as an lvalue
 * @v: its new value
 *
 * Whoever calls it excludes other updaters of @p.
 *
 * Context: any, signal handlers included; never blocks.
 * Ordering: what the caller wrote before comes before the pointer's store (release).
 * Origin: Linux's rcu_assign_pointer(), under a name that liburcu leaves free.
 */
#define srcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

/**
 * SRCU_INIT_POINTER - set a pointer that no reader can see yet, or to NULL
 * @p: the pointer, as an lvalue
 * @v: its new value
 *
 * Also to what readers could see before.
 *
 * Context: any, signal handlers included; never blocks.
 * Ordering: none.
 * Origin: Linux's RCU_INIT_POINTER(), under a name that liburcu leaves free.
 */
#define SRCU_INIT_POINTER(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELAXED)

#ifdef __cplusplus
}
#endif

#endif /* SRCU_READER_H */
