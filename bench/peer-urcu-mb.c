/* SPDX-License-Identifier: MIT */
/*
 * Peer: liburcu's mb flavor, readers inlined, or with BENCH_CALLS by calls into the
 * library.
 */
#ifndef BENCH_CALLS
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-mb.h>

#define PEER_TOKEN         int
#define PEER_LOCK()        (urcu_mb_read_lock(), 0)
#define PEER_UNLOCK(token) ((void)(token), urcu_mb_read_unlock())
#include "bench/peer-loops.h"

static void enter(void)
{
	urcu_mb_register_thread();
}

static void leave(void)
{
	urcu_mb_unregister_thread();
}

#ifdef BENCH_CALLS
const struct peer peer_urcu_mb_call = {
	.name = "urcu_mb_call",
	.enter = enter,
	.leave = leave,
	.read_batch = read_batch,
};
#else
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
#endif
