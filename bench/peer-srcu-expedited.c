/* SPDX-License-Identifier: MIT */
/*
 * Peer: synchronize_srcu_expedited().  Its readers are those of any other domain.
 */
#include "bench/peer.h"

DEFINE_STATIC_SRCU(domain);

#define PEER_TOKEN         int
#define PEER_LOCK()        srcu_read_lock(&domain)
#define PEER_UNLOCK(token) srcu_read_unlock(&domain, token)
#include "bench/peer-loops.h"

static void synchronize(void)
{
	synchronize_srcu_expedited(&domain);
}

static int stats(struct srcu_stats *s)
{
	return srcu_get_stats(&domain, s);
}

const struct peer peer_srcu_expedited = {
	.name = "srcu_expedited",
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	.concurrent = true,
};
