/* SPDX-License-Identifier: MIT */
/*
 * Peer: nothing, which is what the loops themselves cost.
 */
#include "bench/peer.h"

/* Keeps the loop. */
#define PEER_TOKEN int
#define PEER_LOCK()                                  \
	({                                           \
		__asm__ volatile("" : : : "memory"); \
		0;                                   \
	})
#define PEER_UNLOCK(token) ((void)(token))
#include "bench/peer-loops.h"

const struct peer peer_none = {
	.name = "none",
	.read_batch = read_batch,
	.read_length = read_length,
	.churn = true,
};
