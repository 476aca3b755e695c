/* SPDX-License-Identifier: MIT */
/*
 * Peer: liburcu's bp flavor, readers inlined.
 */
#define _LGPL_SOURCE
#include <urcu/urcu-bp.h>

#include "bench/reader.h"

static void enter(void)
{
	urcu_bp_register_thread();
}

static void leave(void)
{
	urcu_bp_unregister_thread();
}

static void read_batch(long n)
{
	for (; n > 0; n--) {
		urcu_bp_read_lock();
		urcu_bp_read_unlock();
	}
}

static void read_loop(struct reader *reader)
{
	while (reader_goes_on(reader)) {
		urcu_bp_read_lock();
		spend_ns(reader->in_ns);
		urcu_bp_read_unlock();
		reader_outside(reader);
	}
}

static void synchronize(void)
{
	urcu_bp_synchronize_rcu();
}

const struct peer peer_urcu_bp = {
	.name = "urcu_bp",
	.enter = enter,
	.leave = leave,
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.concurrent = true,
};
