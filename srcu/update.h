/* SPDX-License-Identifier: MIT */
/*
 * The update side: waiting for grace periods, polling for them, and callbacks.
 * Part of <srcu/srcu.h>.
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
 * waits for.  In a domain that was not updated for 25 us it is expedited.
 * Only where the library could not start a thread for callbacks does the caller
 * invoke those of @ssp that are ready then; it must not hold a lock that they take.
 *
 * Context: any thread; not a signal handler, not inside a reader of @ssp, where
 * it would wait for itself.  Blocks.  Not a cancellation point.
 * Ordering: a full barrier before and after; a section either ends before the
 * return, and all of it is seen after, or begins after the call, and sees all
 * that came before.
 * On a NULL, uninitialised or cleaned-up domain it warns and returns at once.
 * Origin: Linux, synchronize_srcu().
 */
SRCU_INLINE_ void synchronize_srcu(struct srcu_struct *ssp)
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
 * Context and ordering: as synchronize_srcu().
 * Origin: Linux, synchronize_srcu_expedited().
 */
SRCU_INLINE_ void synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	__synchronize_srcu_expedited(ssp);
	srcu_tsan_acquire_(ssp);
}

SRCU_API int __synchronize_srcu_timeout(struct srcu_struct *ssp, uint64_t timeout_ns);

/**
 * synchronize_srcu_timeout - wait for a grace period for a limited time
 * @ssp: the domain
 * @timeout_ns: how long to wait at most, in nanoseconds of CLOCK_MONOTONIC;
 * UINT64_MAX: for ever; 0: look, but do not wait
 *
 * After a time-out the domain is as usable as before, and nothing may be freed
 * on account of this call.  Never invokes callbacks.
 *
 * Context and ordering: as synchronize_srcu(); with 0 it does not block.
 * Return: 0 when a grace period has passed, -ETIMEDOUT, or -EINVAL for a domain
 * that synchronize_srcu() would warn of, which is reported.
 * Origin: ours.
 */
SRCU_INLINE_ int synchronize_srcu_timeout(struct srcu_struct *ssp, uint64_t timeout_ns)
{
	int error = __synchronize_srcu_timeout(ssp, timeout_ns);

	srcu_tsan_acquire_(ssp);
	return error;
}

/**
 * get_state_synchronize_srcu - a cookie for the readers there are now
 * @ssp: the domain
 *
 * The cookie is done once a grace period has passed that began after the call,
 * whoever asked for it.  The call starts none.  Cookies are 64 bits wide and do
 * not wrap.
 *
 * Context: any, signal handlers and readers included; keeps errno; never blocks.
 * Ordering: a full barrier.
 * Return: the cookie for poll_state_synchronize_srcu(); one that is done for a domain
 * that cannot be used, which is reported.
 * Origin: Linux, get_state_synchronize_srcu().
 */
SRCU_API uint64_t get_state_synchronize_srcu(struct srcu_struct *ssp);

/**
 * start_poll_synchronize_srcu - a cookie, and a grace period for it
 * @ssp: the domain
 *
 * As get_state_synchronize_srcu(), and sees to it that polling gets there: the
 * grace period begins now or at the end of the one under way, and each poll
 * takes it as far as it goes without waiting.
 *
 * Context, ordering and return: as get_state_synchronize_srcu().  May make one
 * membarrier.
 * Origin: Linux, start_poll_synchronize_srcu().
 */
SRCU_API uint64_t start_poll_synchronize_srcu(struct srcu_struct *ssp);

SRCU_API bool __poll_state_synchronize_srcu(struct srcu_struct *ssp, uint64_t cookie);

/**
 * poll_state_synchronize_srcu - has a grace period passed since the cookie?
 * @ssp: the domain
 * @cookie: from get_state_, start_poll_ or get_completed_synchronize_srcu()
 *
 * Context: any, signal handlers and readers included; keeps errno; never blocks.
 * May make one membarrier, when there is a grace period to be taken further.
 * Ordering: when true, as after synchronize_srcu() called at the cookie.
 * Return: true when it has passed; false for a domain that cannot be used, which is
 * reported.
 * Origin: Linux, poll_state_synchronize_srcu().
 */
SRCU_INLINE_ bool poll_state_synchronize_srcu(struct srcu_struct *ssp, uint64_t cookie)
{
	if (!__poll_state_synchronize_srcu(ssp, cookie))
		return false;
	srcu_tsan_acquire_(ssp);
	return true;
}

/**
 * get_completed_synchronize_srcu - a cookie that is done
 *
 * It is so for all domains, now and for ever.
 *
 * Context: any, signal handlers and readers included.
 * Ordering: none.
 * Return: the cookie, 0.
 * Origin: Linux, get_completed_synchronize_srcu().
 */
static inline uint64_t get_completed_synchronize_srcu(void)
{
	return 0;
}

/** NUM_ACTIVE_SRCU_POLL_OLDSTATE - how many cookies that are not done can differ */
#define NUM_ACTIVE_SRCU_POLL_OLDSTATE 2

/**
 * same_state_synchronize_srcu - are two cookies of a domain done at the same time?
 * @a: a cookie
 * @b: another
 *
 * Lets NUM_ACTIVE_SRCU_POLL_OLDSTATE lists hold all that waits for grace periods.
 *
 * Context: any, signal handlers and readers included.
 * Ordering: none.
 * Return: true when they are; cookies of two domains have nothing in common.
 * Origin: Linux, same_state_synchronize_srcu().
 */
static inline bool same_state_synchronize_srcu(uint64_t a, uint64_t b)
{
	return a == b;
}

SRCU_API void __cond_synchronize_srcu(struct srcu_struct *ssp, uint64_t cookie);

/**
 * cond_synchronize_srcu - wait for a grace period unless one has passed
 * @ssp: the domain
 * @cookie: from when on it counts; a cookie that is not @ssp's own waits for one
 * grace period at most
 *
 * Context and ordering: as synchronize_srcu().
 * Origin: after Linux's cond_synchronize_rcu().
 */
SRCU_INLINE_ void cond_synchronize_srcu(struct srcu_struct *ssp, uint64_t cookie)
{
	__cond_synchronize_srcu(ssp, cookie);
	srcu_tsan_acquire_(ssp);
}

/**
 * srcu_expedite_current - expedite the grace period under way
 * @ssp: the domain
 *
 * Whoever leads it goes on as if it had called synchronize_srcu_expedited(), and is
 * woken for that.  Later grace periods are not concerned.
 *
 * Context: any, signal handlers and readers included; keeps errno; never blocks.
 * Ordering: none to rely on.
 * On a domain that cannot be used it warns.
 * Origin: Linux, srcu_expedite_current().
 */
SRCU_API void srcu_expedite_current(struct srcu_struct *ssp);

/**
 * srcu_batches_completed - number of grace periods that have ended
 * @ssp: the domain
 *
 * Grows by one with each, whoever ran it and however many callers shared it.
 *
 * Context: any, signal handlers and readers included; keeps errno; never blocks.
 * Ordering: an acquire: what was before the end of those that it counts is seen.
 * Return: their number since the domain's initialisation; 0 for a domain that cannot
 * be used, which is reported.
 * Origin: Linux, srcu_batches_completed(), where it is for torture tests too.
 */
SRCU_API uint64_t srcu_batches_completed(struct srcu_struct *ssp);

SRCU_API int __call_srcu(
	struct srcu_struct *ssp, struct srcu_head *head, void (*func)(struct srcu_head *));

/**
 * call_srcu - have a function called after a grace period
 * @ssp: the domain
 * @head: the callback's head, in the object concerned; the library's until @func
 * has been called with it
 * @func: the function; it may block, queue callbacks, also by @head, and wait for
 * grace periods
 *
 * One callback at a time is invoked in a domain.  No order is promised; in the
 * usual case those that were queued on one CPU keep theirs.
 *
 * Who invokes it depends on the domain: with SRCU_CALLBACKS_CALLER it is
 * srcu_run_callbacks(); else threads of the library, of which init_srcu_struct()
 * starts the first, and in a program whose domains are all static
 * srcu_start_callbacks(), or the next one that waits for a grace period.  Where
 * threads are refused, the next synchronize_srcu() or srcu_barrier() invokes it.
 * Callbacks run with signals blocked and cancellation disabled in the library's
 * threads, and with cancellation disabled in the caller's.
 *
 * Context: any, signal handlers, readers and callbacks included; keeps errno;
 * never blocks.  Allocates nothing that can be refused: a callback is never lost.
 * Ordering: sections that are under way end before @func is called; what the
 * caller did before is seen by sections that begin later, and by @func.
 * Return: 0; -EINVAL for NULL or a domain that cannot be used; -EBUSY for a head
 * that is queued already, which is reported as well.
 * Origin: Linux, call_srcu(), which returns nothing.
 */
SRCU_INLINE_ int call_srcu(
	struct srcu_struct *ssp, struct srcu_head *head, void (*func)(struct srcu_head *))
{
	srcu_tsan_release_(head);
	return __call_srcu(ssp, head, func);
}

SRCU_API int __srcu_barrier(struct srcu_struct *ssp);

/**
 * srcu_barrier - wait until all callbacks queued so far have returned
 * @ssp: the domain
 *
 * Invokes them itself where nobody else is at it.  Callbacks that are queued
 * later are not waited for.
 *
 * Context: any thread, also a callback of another domain; not a signal handler,
 * not inside a reader of @ssp.  Blocks.  Not a cancellation point.
 * Ordering: what the callbacks did is seen after the return.
 * Return: 0; -EDEADLK inside a callback of @ssp; -EINVAL for a domain that
 * cannot be used.
 * Origin: Linux, srcu_barrier().
 */
SRCU_INLINE_ int srcu_barrier(struct srcu_struct *ssp)
{
	int error = __srcu_barrier(ssp);

	srcu_tsan_acquire_(ssp);
	return error;
}

/**
 * srcu_run_callbacks - invoke callbacks whose grace period has passed
 * @ssp: the domain
 * @max: how many at most
 *
 * For a program that has a loop of its own, and domains of
 * SRCU_CALLBACKS_CALLER.  Starts grace periods as needed; does not wait for them.
 * Callbacks that are queued meanwhile, by callbacks too, are left to the next call.
 *
 * Context: any thread; inside a reader of @ssp only if no callback waits for a grace
 * period of @ssp; not a signal handler.  Blocks if a callback does.  Not a
 * cancellation point.
 * Ordering: as call_srcu() and srcu_barrier().
 * Return: how many were invoked; 0 when another thread is at it, inside a callback
 * of @ssp, and for a domain that cannot be used, which is reported.
 * Origin: ours.
 */
SRCU_API uint64_t srcu_run_callbacks(struct srcu_struct *ssp, uint64_t max);

/**
 * srcu_start_callbacks - start the thread that looks after callbacks
 *
 * For programs that use call_srcu() on static domains only.
 *
 * Context: any thread, also inside readers and callbacks; not a signal handler.
 * Return: 0, also when it runs already, or a negative errno from pthread_create().
 * Origin: ours.
 */
SRCU_API int srcu_start_callbacks(void);

#ifdef __cplusplus
}
#endif

#endif /* SRCU_UPDATE_H */
