/* SPDX-License-Identifier: MIT */
/* Compiled as for an object that can be unloaded. */
#include <srcu/urcu-compat.h>

#include "urcu-test.h"

void other_read_lock(void)
{
	rcu_read_lock();
}

void other_read_unlock(void)
{
	rcu_read_unlock();
}

int other_read_ongoing(void)
{
	return rcu_read_ongoing();
}
