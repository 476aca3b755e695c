/* SPDX-License-Identifier: MIT */
/*
 * Peer: liburcu's qsbr flavor.  Its readers are empty, inlined or not.  One announces
 * a quiescent state after each section, which is what lets grace periods end; the
 * empty sections of the read benchmark announce none and cost the loop alone, which
 * the compiler is kept from dropping.
 */
#define _LGPL_SOURCE
#include <urcu/urcu-qsbr.h>

#define PEER_TOKEN         int
#define PEER_LOCK()        (urcu_qsbr_read_lock(), peer_keep())
#define PEER_UNLOCK(token) ((void)(token), urcu_qsbr_read_unlock())
#define PEER_OUTSIDE()     urcu_qsbr_quiescent_state()
#include "bench/peer-loops.h"

static void enter(void)
{
	urcu_qsbr_register_thread();
}

static void leave(void)
{
	urcu_qsbr_unregister_thread();
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
	.read_object = read_object,
	.read_hash = read_hash,
	.retire = synchronize,
	.churn = true,
};
