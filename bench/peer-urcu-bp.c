/* SPDX-License-Identifier: MIT */
/*
 * Peer: liburcu's bp flavor, readers inlined, or with BENCH_CALLS by calls into the
 * library.
 */
#ifndef BENCH_CALLS
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-bp.h>

#define PEER_TOKEN         int
#define PEER_LOCK()        (urcu_bp_read_lock(), 0)
#define PEER_UNLOCK(token) ((void)(token), urcu_bp_read_unlock())
#include "bench/peer-loops.h"

static void enter(void)
{
	urcu_bp_register_thread();
}

static void leave(void)
{
	urcu_bp_unregister_thread();
}

#ifdef BENCH_CALLS
const struct peer peer_urcu_bp_call = {
	.name = "urcu_bp_call",
	.enter = enter,
	.leave = leave,
	.read_batch = read_batch,
};
#else
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
	.churn = true,
};
#endif
