/* SPDX-License-Identifier: MIT */
/*
 * Peer: srcu_read_lock_fast() on a domain that lies in a heap object and is
 * reached through a pointer.  Its grace periods are those of srcu_fast.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/peer.h"

static struct srcu_struct *domain;

#define PEER_SELF          struct srcu_struct *ssp = domain;
#define PEER_TOKEN         struct srcu_ctr *
#define PEER_LOCK()        srcu_read_lock_fast(ssp)
#define PEER_UNLOCK(token) srcu_read_unlock_fast(ssp, token)
#include "bench/peer-loops.h"

static int prepare(void)
{
	domain = malloc(sizeof(*domain));
	if (!domain)
		return -ENOMEM;
	return init_srcu_struct(domain);
}

const struct peer peer_srcu_fast_ptr = {
	.name = "srcu_fast_ptr",
	.prepare = prepare,
	.read_batch = read_batch,
};
