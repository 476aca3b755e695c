/* SPDX-License-Identifier: MIT */
/*
 * Peer: liburcu's memb flavor, readers inlined.
 */
#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>

#include "bench/reader.h"

static void enter(void)
{
	urcu_memb_register_thread();
}

static void leave(void)
{
	urcu_memb_unregister_thread();
}

static void read_batch(long n)
{
	for (; n > 0; n--) {
		urcu_memb_read_lock();
		urcu_memb_read_unlock();
	}
}

static void read_loop(struct reader *reader)
{
	while (reader_goes_on(reader)) {
		urcu_memb_read_lock();
		spend_ns(reader->in_ns);
		urcu_memb_read_unlock();
		reader_outside(reader);
	}
}

static void synchronize(void)
{
	urcu_memb_synchronize_rcu();
}

const struct peer peer_urcu_memb = {
	.name = "urcu_memb",
	.enter = enter,
	.leave = leave,
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.concurrent = true,
};
