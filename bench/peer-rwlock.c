/* SPDX-License-Identifier: MIT */
/*
 * Peer: a pthread rwlock.  An updater that has had it once since it unlinked something
 * has waited for all readers that saw that.
 */
#include <pthread.h>

#include "bench/peer.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

#define PEER_TOKEN         int
#define PEER_LOCK()        pthread_rwlock_rdlock(&lock)
#define PEER_UNLOCK(token) ((void)(token), pthread_rwlock_unlock(&lock))
#include "bench/peer-loops.h"

static void retire(void)
{
	pthread_rwlock_wrlock(&lock);
	pthread_rwlock_unlock(&lock);
}

const struct peer peer_rwlock = {
	.name = "rwlock",
	.read_batch = read_batch,
	PEER_SWEEPS,
	.read_hash = read_hash,
	.retire = retire,
};
