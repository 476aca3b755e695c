/* SPDX-License-Identifier: MIT */
/*
 * Peer: srcu_read_lock_fast() on a domain of fenced readers.
 */
#include "bench/peer.h"

static struct srcu_struct domain;

#define PEER_TOKEN         struct srcu_ctr *
#define PEER_LOCK()        srcu_read_lock_fast(&domain)
#define PEER_UNLOCK(token) srcu_read_unlock_fast(&domain, token)
#include "bench/peer-loops.h"

static int prepare(void)
{
	return init_srcu_struct_with(
		&domain, &(struct srcu_options){.name = "fenced", .readers = SRCU_READERS_FENCED});
}

static void synchronize(void)
{
	synchronize_srcu(&domain);
}

static int stats(struct srcu_stats *s)
{
	return srcu_get_stats(&domain, s);
}

const struct peer peer_srcu_fenced = {
	.name = "srcu_fenced",
	.prepare = prepare,
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	.concurrent = true,
};
