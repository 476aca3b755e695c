/* SPDX-License-Identifier: MIT */
/*
 * Peer: srcu_read_lock_fast() on a static domain.  Built twice: into the
 * program, with inline readers, and with BENCH_PIC into a shared object, where
 * the readers are libsrcu's out-of-line ones and grace periods are not measured
 * again.
 */
#include "bench/peer.h"

DEFINE_STATIC_SRCU(domain);

#define PEER_TOKEN         struct srcu_ctr *
#define PEER_LOCK()        srcu_read_lock_fast(&domain)
#define PEER_UNLOCK(token) srcu_read_unlock_fast(&domain, token)
#include "bench/peer-loops.h"

#ifdef BENCH_PIC
const struct peer peer_srcu_fast_pic = {
	.name = "srcu_fast_pic",
	.read_batch = read_batch,
};
#else
static void synchronize(void)
{
	synchronize_srcu(&domain);
}

static int stats(struct srcu_stats *s)
{
	return srcu_get_stats(&domain, s);
}

const struct peer peer_srcu_fast = {
	.name = "srcu_fast",
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	PEER_SWEEPS,
	.read_hash = read_hash,
	.retire = synchronize,
	.churn = true,
};
#endif
