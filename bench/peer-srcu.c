/* SPDX-License-Identifier: MIT */
/*
 * Peer: srcu_read_lock(), with its int token, on a static domain.  Built twice:
 * into the program, with inline readers, and with BENCH_PIC into a shared
 * object, where the readers are libsrcu's out-of-line ones and grace periods
 * are not measured again.
 */
#include "bench/peer.h"

DEFINE_STATIC_SRCU(domain);

#define PEER_TOKEN         int
#define PEER_LOCK()        srcu_read_lock(&domain)
#define PEER_UNLOCK(token) srcu_read_unlock(&domain, token)
#include "bench/peer-loops.h"

#ifdef BENCH_PIC
const struct peer peer_srcu_pic = {
	.name = "srcu_pic",
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

const struct peer peer_srcu = {
	.name = "srcu",
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	.concurrent = true,
	PEER_SWEEPS,
	.read_hash = read_hash,
	.retire = synchronize,
};
#endif
