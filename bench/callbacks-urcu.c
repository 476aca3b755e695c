/* SPDX-License-Identifier: MIT */
/*
 * Callbacks of liburcu's memb flavor, with a thread of their own that invokes
 * them, as long as they are measured: it is a reader to liburcu, and the other
 * benchmarks would wait for it.
 */
#define _LGPL_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

#include "bench/callbacks.h"

static struct call_rcu_data *invoker;
static struct rcu_head *heads;

static int begin(size_t nr)
{
	heads = callbacks_heads(nr, sizeof(*heads));
	if (!heads)
		return -ENOMEM;
	invoker = urcu_memb_create_call_rcu_data(0, -1);
	if (!invoker) {
		free(heads);
		return -ENOMEM;
	}
	urcu_memb_register_thread();
	urcu_memb_set_thread_call_rcu_data(invoker);
	return 0;
}

static void end(void)
{
	urcu_memb_set_thread_call_rcu_data(NULL);
	urcu_memb_unregister_thread();
	urcu_memb_call_rcu_data_free(invoker);
	free(heads);
}

static void enter_thread(void)
{
	urcu_memb_register_thread();
}

static void leave_thread(void)
{
	urcu_memb_unregister_thread();
}

static void enter(void)
{
	urcu_memb_read_lock();
}

static void leave(void)
{
	urcu_memb_read_unlock();
}

static void nothing(struct rcu_head *head)
{
	(void)head;
}

static int enqueue(size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		urcu_memb_call_rcu(&heads[i], nothing);
	return 0;
}

static void count(struct rcu_head *head)
{
	(void)head;
	callbacks_count();
}

static int enqueue_counted(size_t i)
{
	urcu_memb_call_rcu(&heads[i], count);
	return 0;
}

static void barrier(void)
{
	urcu_memb_barrier();
}

const struct callback_peer callbacks_urcu = {
	.name = "urcu_memb",
	.enqueue_name = "urcu_call_rcu",
	.begin = begin,
	.end = end,
	.enter = enter,
	.leave = leave,
	.enqueue = enqueue,
	.enqueue_counted = enqueue_counted,
	.barrier = barrier,
	.enter_thread = enter_thread,
	.leave_thread = leave_thread,
};
