/* SPDX-License-Identifier: MIT */
/*
 * Peer: a domain whose updaters are organised by one lock.  Its readers are those
 * of any other domain.
 */
#include "bench/peer.h"

static struct srcu_struct domain;

#define PEER_TOKEN         int
#define PEER_LOCK()        srcu_read_lock(&domain)
#define PEER_UNLOCK(token) srcu_read_unlock(&domain, token)
#include "bench/peer-loops.h"

static int prepare(void)
{
	return init_srcu_struct_with(&domain,
		&(struct srcu_options){.name = "classic", .updates = SRCU_UPDATES_CLASSIC});
}

static void synchronize(void)
{
	synchronize_srcu(&domain);
}

static int stats(struct srcu_stats *s)
{
	return srcu_get_stats(&domain, s);
}

const struct peer peer_srcu_classic = {
	.name = "srcu_classic",
	.prepare = prepare,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	.concurrent = true,
};
