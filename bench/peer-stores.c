/* SPDX-License-Identifier: MIT */
/*
 * Peer: two stores to words that nobody else uses, which is the least that a reader
 * without a registry can do to be seen.
 */
#include "bench/peer.h"

static unsigned long words[2];

/* Relaxed: the bare instructions. */
#define PEER_TOKEN         int
#define PEER_LOCK()        (__atomic_store_n(&words[0], 1, __ATOMIC_RELAXED), 0)
#define PEER_UNLOCK(token) ((void)(token), __atomic_store_n(&words[1], 1, __ATOMIC_RELAXED))
#include "bench/peer-loops.h"

const struct peer peer_stores = {
	.name = "stores",
	.read_batch = read_batch,
};
