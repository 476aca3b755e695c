/* SPDX-License-Identifier: MIT */
/* liburcu itself, in the process of a program that uses <srcu/urcu-compat.h>. */
#include <urcu.h>

#include "urcu-test.h"

void flavor_begin(void)
{
	rcu_register_thread();
	rcu_read_lock();
}

void flavor_synchronize(void)
{
	synchronize_rcu();
}

static struct {
	struct rcu_head head;
	int *called;
} callback;

static void note_call(struct rcu_head *head)
{
	(void)head;
	__atomic_store_n(callback.called, 1, __ATOMIC_RELEASE);
}

void flavor_call(int *called)
{
	callback.called = called;
	call_rcu(&callback.head, note_call);
}

void flavor_barrier(void)
{
	rcu_barrier();
}

void flavor_end(void)
{
	rcu_read_unlock();
	rcu_unregister_thread();
}
