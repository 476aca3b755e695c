/* SPDX-License-Identifier: MIT */
/*
 * The lock under which a domain's grace period is advanced: a futex that is
 * only ever tried.  Who does not get it waits until it is released and then
 * looks first whether the grace period it needs has gone by.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

enum { FREE, HELD, HELD_WITH_SLEEPERS };

#define SPINS 100

bool srcu_gp_trylock(struct srcu_struct *ssp)
{
	uint32_t free = FREE;

	return __atomic_compare_exchange_n(
		&ssp->gp_lock_, &free, HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void srcu_gp_unlock(struct srcu_struct *ssp)
{
	if (__atomic_exchange_n(&ssp->gp_lock_, FREE, __ATOMIC_RELEASE) == HELD_WITH_SLEEPERS)
		syscall(SYS_futex, &ssp->gp_lock_, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void srcu_gp_wait_unlock(struct srcu_struct *ssp)
{
	uint32_t held = HELD;

	for (int i = 0; i < SPINS; i++) {
		if (__atomic_load_n(&ssp->gp_lock_, __ATOMIC_RELAXED) == FREE)
			return;
		cpu_relax();
	}
	if (!__atomic_compare_exchange_n(&ssp->gp_lock_, &held, HELD_WITH_SLEEPERS, false,
		    __ATOMIC_RELAXED, __ATOMIC_RELAXED) &&
		held == FREE)
		return;
	if (syscall(SYS_futex, &ssp->gp_lock_, FUTEX_WAIT_PRIVATE, HELD_WITH_SLEEPERS, NULL, NULL,
		    0) &&
		errno != EAGAIN && errno != EINTR)
		sched_yield();
}
