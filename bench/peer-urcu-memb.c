/* SPDX-License-Identifier: MIT */
/*
 * Peer: liburcu's memb flavor, readers inlined, or with BENCH_CALLS by calls into the
 * library.
 */
#ifndef BENCH_CALLS
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-memb.h>

#define PEER_TOKEN         int
#define PEER_LOCK()        (urcu_memb_read_lock(), 0)
#define PEER_UNLOCK(token) ((void)(token), urcu_memb_read_unlock())
#include "bench/peer-loops.h"

static void enter(void)
{
	urcu_memb_register_thread();
}

static void leave(void)
{
	urcu_memb_unregister_thread();
}

#ifdef BENCH_CALLS
const struct peer peer_urcu_memb_call = {
	.name = "urcu_memb_call",
	.enter = enter,
	.leave = leave,
	.read_batch = read_batch,
};
#else
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
	PEER_SWEEPS,
	.read_hash = read_hash,
	.retire = synchronize,
	.churn = true,
};
#endif
