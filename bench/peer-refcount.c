/* SPDX-License-Identifier: MIT */
/*
 * Peer: a reference count that all readers share.  Nobody waits for it to drop to
 * zero: beside readers that come and go it need not.
 */
#include "bench/peer.h"

static unsigned long count;

/* As a program would order them: what is done inside comes between. */
#define PEER_TOKEN         int
#define PEER_LOCK()        ((void)__atomic_fetch_add(&count, 1, __ATOMIC_ACQUIRE), 0)
#define PEER_UNLOCK(token) ((void)(token), (void)__atomic_fetch_sub(&count, 1, __ATOMIC_RELEASE))
#include "bench/peer-loops.h"

const struct peer peer_refcount = {
	.name = "refcount",
	.read_batch = read_batch,
	PEER_SWEEPS,
};
