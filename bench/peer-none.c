/* SPDX-License-Identifier: MIT */
/*
 * Peer: nothing, which is what the loops themselves cost.
 */
#include "bench/peer.h"

#define PEER_TOKEN         int
#define PEER_LOCK()        peer_keep()
#define PEER_UNLOCK(token) ((void)(token))
#include "bench/peer-loops.h"

const struct peer peer_none = {
	.name = "none",
	.read_batch = read_batch,
	.read_length = read_length,
	.churn = true,
};
