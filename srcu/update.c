/* SPDX-License-Identifier: MIT */
/*
 * The public update side: waiting for a grace period, with and without a limit,
 * and polling for one.
 */
#include <errno.h>

#include "debug.h"
#include "probe.h"

__attribute__((always_inline)) static inline bool wait_until(struct srcu_struct *ssp,
	uint64_t number, uint64_t deadline_ns, const char *function, const void *site)
{
	bool in_time;

	if (deadline_ns && !srcu_gp_done(ssp, number) &&
		(srcu_debugged(ssp) || srcu_lock_is_mine(&ssp->gp_lock_)))
		srcu_debug_wait(ssp, function, site);
	PROBE(synchronize_begin, ssp, number);
	in_time = srcu_gp_wait(ssp, number, deadline_ns);
	PROBE(synchronize_end, ssp, number);
	return in_time;
}

/*
 * Wait for a grace period.  Where no thread can be had for callbacks, those who
 * wait run them: what was queued before is ready when the wait is over, unless
 * @number is an old one.
 */
__attribute__((always_inline)) static inline void wait_for(
	struct srcu_struct *ssp, uint64_t number, const char *function, const void *site)
{
	bool invoke = unlikely(srcu_updaters_invoke(ssp));

	if (invoke)
		srcu_callbacks_stage(ssp);
	wait_until(ssp, number, UINT64_MAX, function, site);
	if (invoke)
		srcu_invoke(ssp, UINT64_MAX);
}

/* Inline, as usable() below: the call site is the public function's. */
__attribute__((always_inline)) static inline void synchronize(
	struct srcu_struct *ssp, const char *function, bool hurry)
{
	uintptr_t word;
	uint64_t number;

	if (!srcu_domain_usable(ssp, function, &word))
		return;
	number = srcu_gp_next(ssp);
	if (hurry)
		srcu_gp_hurry(ssp, number);
	wait_for(ssp, number, function, CALL_SITE);
}

void __synchronize_srcu(struct srcu_struct *ssp)
{
	synchronize(ssp, "synchronize_srcu", false);
}

void __synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	synchronize(ssp, "synchronize_srcu_expedited", true);
}

int __synchronize_srcu_timeout(struct srcu_struct *ssp, uint64_t timeout_ns)
{
	uint64_t deadline, now = srcu_now_ns();
	uintptr_t word;

	if (!srcu_domain_usable(ssp, "synchronize_srcu_timeout", &word))
		return -EINVAL;
	deadline = timeout_ns < UINT64_MAX - now ? now + timeout_ns : UINT64_MAX;
	if (!timeout_ns)
		deadline = 0; /* long past: nothing is waited for */
	if (wait_until(ssp, srcu_gp_next(ssp), deadline, "synchronize_srcu_timeout", CALL_SITE))
		return 0;
	return -ETIMEDOUT;
}

/* srcu_domain_usable() with errno kept, for what may be called in handlers. */
__attribute__((always_inline)) static inline bool usable(
	struct srcu_struct *ssp, const char *function)
{
	int saved_errno = errno;
	uintptr_t word;
	bool is_usable = srcu_domain_usable(ssp, function, &word);

	errno = saved_errno;
	return is_usable;
}

uint64_t get_state_synchronize_srcu(struct srcu_struct *ssp)
{
	if (!usable(ssp, "get_state_synchronize_srcu"))
		return get_completed_synchronize_srcu();
	return srcu_gp_next(ssp);
}

uint64_t start_poll_synchronize_srcu(struct srcu_struct *ssp)
{
	int saved_errno = errno;
	uint64_t cookie;

	if (!usable(ssp, "start_poll_synchronize_srcu"))
		return get_completed_synchronize_srcu();
	cookie = srcu_gp_next(ssp);
	if (srcu_tree_request(ssp, cookie))
		srcu_gp_try(ssp);
	errno = saved_errno;
	return cookie;
}

bool __poll_state_synchronize_srcu(struct srcu_struct *ssp, uint64_t cookie)
{
	if (!usable(ssp, "poll_state_synchronize_srcu"))
		return false;
	if (!srcu_gp_done(ssp, cookie)) {
		int saved_errno = errno;

		srcu_tree_insist(ssp, cookie);
		srcu_gp_try(ssp);
		errno = saved_errno;
	}
	if (!srcu_gp_done(ssp, cookie))
		return false;
	full_fence(); /* F */
	return true;
}

void __cond_synchronize_srcu(struct srcu_struct *ssp, uint64_t cookie)
{
	uintptr_t word;
	uint64_t next;

	if (!srcu_domain_usable(ssp, "cond_synchronize_srcu", &word))
		return;
	/* A cookie that this domain has not given out yet is no reason to wait for ever. */
	next = srcu_gp_next(ssp);
	wait_for(ssp, cookie < next ? cookie : next, "cond_synchronize_srcu", CALL_SITE);
}

void srcu_expedite_current(struct srcu_struct *ssp)
{
	int saved_errno = errno;

	if (usable(ssp, "srcu_expedite_current"))
		srcu_gp_hurry(ssp, __atomic_load_n(&ssp->started_, __ATOMIC_ACQUIRE));
	errno = saved_errno;
}

uint64_t srcu_batches_completed(struct srcu_struct *ssp)
{
	return usable(ssp, "srcu_batches_completed")
		       ? __atomic_load_n(&ssp->done_, __ATOMIC_ACQUIRE)
		       : 0;
}
