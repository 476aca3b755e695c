/* SPDX-License-Identifier: MIT */
/*
 * Peer: liburcu's mb flavor, readers inlined.
 */
#define _LGPL_SOURCE
#include <urcu/urcu-mb.h>

#include "bench/reader.h"

static void enter(void)
{
	urcu_mb_register_thread();
}

static void leave(void)
{
	urcu_mb_unregister_thread();
}

static void read_batch(long n)
{
	for (; n > 0; n--) {
		urcu_mb_read_lock();
		urcu_mb_read_unlock();
	}
}

static void read_loop(struct reader *reader)
{
	while (reader_goes_on(reader)) {
		urcu_mb_read_lock();
		spend_ns(reader->in_ns);
		urcu_mb_read_unlock();
		reader_outside(reader);
	}
}

static void synchronize(void)
{
	urcu_mb_synchronize_rcu();
}

const struct peer peer_urcu_mb = {
	.name = "urcu_mb",
	.enter = enter,
	.leave = leave,
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.concurrent = true,
};
