/* SPDX-License-Identifier: MIT */
/*
 * The update side: waiting for grace periods and polling for them.  Part of
 * <srcu/srcu.h>.
 */
#ifndef SRCU_UPDATE_H
#define SRCU_UPDATE_H

#ifndef SRCU_SRCU_H
#error "include <srcu/srcu.h> instead"
#endif

#ifdef __cplusplus
extern "C" {
#endif

SRCU_API void __synchronize_srcu(struct srcu_struct *ssp);
SRCU_API void __synchronize_srcu_expedited(struct srcu_struct *ssp);

/**
 * synchronize_srcu - wait for a grace period
 * @ssp: the domain
 *
 * Returns when every read-side critical section of @ssp that was under way at
 * the call has ended.  Sections that begin later are not waited for.  Callers
 * share grace periods.  The grace period runs in the calling thread and
 * depends on no other, so a caller may hold any lock that no reader of @ssp
 * waits for.
 *
 * Context: any thread; not a signal handler, not inside a reader of @ssp, where
 * it would wait for itself.  Blocks.  Not a cancellation point.
 * Ordering: a full barrier before and after; a section either ends before the
 * return, and all of it is seen after, or begins after the call, and sees all
 * that came before.
 * On a NULL, uninitialised or cleaned-up domain it warns and returns at once.
 * Origin: Linux, synchronize_srcu().
 */
static inline void synchronize_srcu(struct srcu_struct *ssp)
{
	__synchronize_srcu(ssp);
	srcu_tsan_acquire_(ssp);
}

/**
 * synchronize_srcu_expedited - wait for a grace period, at the price of CPU time
 * @ssp: the domain
 *
 * As synchronize_srcu(), but looks for a millisecond before it sleeps for the
 * first time, and never sleeps for longer than that at once.
 *
 * Origin: Linux, synchronize_srcu_expedited().
 */
static inline void synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	__synchronize_srcu_expedited(ssp);
	srcu_tsan_acquire_(ssp);
}

#ifdef __cplusplus
}
#endif

#endif /* SRCU_UPDATE_H */
