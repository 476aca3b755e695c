/* SPDX-License-Identifier: MIT */
/*
 * Updates with liburcu's memb flavor, which has one domain: the sleeper is in it.
 */
#define _LGPL_SOURCE
#include <errno.h>
#include <semaphore.h>
#include <urcu/urcu-memb.h>

#include "bench/isolation.h"
#include "bench/reader.h"

static struct call_rcu_data *invoker;

static struct {
	struct rcu_head head; /* first */
	uint64_t ns;
	sem_t invoked;
} call;

static int begin(void)
{
	invoker = urcu_memb_create_call_rcu_data(0, -1);
	if (!invoker)
		return -ENOMEM;
	urcu_memb_register_thread();
	urcu_memb_set_thread_call_rcu_data(invoker);
	sem_init(&call.invoked, 0, 0);
	return 0;
}

static void end(void)
{
	urcu_memb_set_thread_call_rcu_data(NULL);
	urcu_memb_unregister_thread();
	urcu_memb_call_rcu_data_free(invoker);
}

static uint64_t time_synchronize_rcu(void)
{
	uint64_t began = now_ns();

	urcu_memb_synchronize_rcu();
	return now_ns() - began;
}

static void note_time(struct rcu_head *head)
{
	(void)head;
	call.ns = now_ns();
	sem_post(&call.invoked);
}

static uint64_t time_call(void)
{
	uint64_t began = now_ns();

	urcu_memb_call_rcu(&call.head, note_time);
	sem_wait(&call.invoked);
	return call.ns - began;
}

static void nothing(struct rcu_head *head)
{
	(void)head;
}

static uint64_t time_barrier(void)
{
	uint64_t began = now_ns();

	urcu_memb_call_rcu(&call.head, nothing);
	urcu_memb_barrier();
	return now_ns() - began;
}

static void enter(void)
{
	urcu_memb_register_thread();
}

static void leave(void)
{
	urcu_memb_unregister_thread();
}

static void sleep_in_section(void (*sleep)(void))
{
	urcu_memb_read_lock();
	sleep();
	urcu_memb_read_unlock();
}

/* Polling came with liburcu 0.14, and is left out. */
const struct isolation_peer isolation_urcu_memb = {
	.name = "urcu_memb",
	.begin = begin,
	.end = end,
	.time =
		{
			[ISOLATION_SYNCHRONIZE] = time_synchronize_rcu,
			[ISOLATION_CALL] = time_call,
			[ISOLATION_BARRIER] = time_barrier,
		},
	.enter = enter,
	.leave = leave,
	.round = sleep_in_section,
};
