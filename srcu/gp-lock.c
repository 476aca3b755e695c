/* SPDX-License-Identifier: MIT */
/*
 * The lock under which a domain's grace period is advanced: a futex that is
 * only ever tried.  Who does not get it waits until it is released and then
 * looks first whether the grace period it needs has gone by.
 */
#include "internal.h"

enum { FREE, HELD, HELD_WITH_SLEEPERS };

#define SPINS 100

/*
 * Acquire for what the lock protects.  A full fence besides: a leader that
 * srcu_gp_hurry() does not see holding the lock sees what that stored.
 */
bool srcu_gp_trylock(struct srcu_struct *ssp)
{
	uint32_t free = FREE;

	return __atomic_compare_exchange_n(
		&ssp->gp_lock_, &free, HELD, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void srcu_gp_unlock(struct srcu_struct *ssp)
{
	if (__atomic_exchange_n(&ssp->gp_lock_, FREE, __ATOMIC_RELEASE) == HELD_WITH_SLEEPERS)
		srcu_futex_wake(&ssp->gp_lock_);
}

/* False when the deadline has passed. */
bool srcu_gp_wait_unlock(struct srcu_struct *ssp, uint64_t deadline_ns)
{
	uint64_t left = UINT64_MAX;
	uint32_t held = HELD;

	for (int i = 0; i < SPINS; i++) {
		if (__atomic_load_n(&ssp->gp_lock_, __ATOMIC_RELAXED) == FREE)
			return true;
		cpu_relax();
	}
	if (deadline_ns != UINT64_MAX) {
		uint64_t now = srcu_now_ns();

		if (now >= deadline_ns)
			return false;
		left = deadline_ns - now;
	}
	if (__atomic_compare_exchange_n(&ssp->gp_lock_, &held, HELD_WITH_SLEEPERS, false,
		    __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
		held == HELD_WITH_SLEEPERS)
		srcu_futex_wait(&ssp->gp_lock_, HELD_WITH_SLEEPERS, left);
	return true;
}
