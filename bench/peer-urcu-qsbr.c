/* SPDX-License-Identifier: MIT */
/*
 * Peer: liburcu's qsbr flavor, readers inlined.  A reader announces a quiescent
 * state after each section, which is what lets grace periods end; the empty
 * sections of the read benchmark announce none and cost the loop alone.
 */
#define _LGPL_SOURCE
#include <urcu/urcu-qsbr.h>

#include "bench/reader.h"

static void enter(void)
{
	urcu_qsbr_register_thread();
}

static void leave(void)
{
	urcu_qsbr_unregister_thread();
}

static void read_batch(long n)
{
	for (; n > 0; n--) {
		urcu_qsbr_read_lock();
		urcu_qsbr_read_unlock();
	}
}

static void read_loop(struct reader *reader)
{
	while (reader_goes_on(reader)) {
		urcu_qsbr_read_lock();
		spend_ns(reader->in_ns);
		urcu_qsbr_read_unlock();
		urcu_qsbr_quiescent_state();
		reader_outside(reader);
	}
}

static void synchronize(void)
{
	urcu_qsbr_synchronize_rcu();
}

const struct peer peer_urcu_qsbr = {
	.name = "urcu_qsbr",
	.enter = enter,
	.leave = leave,
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.concurrent = true,
	.away = urcu_qsbr_thread_offline,
	.back = urcu_qsbr_thread_online,
};
