/* SPDX-License-Identifier: MIT */
/*
 * The routes under liburcu, whose readers are all in one domain.
 */
#define _LGPL_SOURCE
#include "storm.h"

#include <urcu/urcu-memb.h>

static void enter(void)
{
	urcu_memb_register_thread();
}

static void leave(void)
{
	urcu_memb_unregister_thread();
}

static void lock(void)
{
	urcu_memb_read_lock();
}

static void unlock(void)
{
	urcu_memb_read_unlock();
}

static void wait(struct srcu_struct *ssp)
{
	(void)ssp;
	urcu_memb_synchronize_rcu();
}

const struct storm_way storm_urcu = {
	.name = "liburcu",
	.enter = enter,
	.leave = leave,
	.lock = lock,
	.unlock = unlock,
	.lock_other = lock,
	.unlock_other = unlock,
	.wait = wait,
};
