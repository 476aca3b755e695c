/* SPDX-License-Identifier: MIT */
/*
 * Peer: a pthread mutex.  An updater that has had it once since it unlinked something
 * has waited for all readers that saw that.
 */
#include <pthread.h>

#include "bench/peer.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define PEER_TOKEN         int
#define PEER_LOCK()        pthread_mutex_lock(&lock)
#define PEER_UNLOCK(token) ((void)(token), pthread_mutex_unlock(&lock))
#include "bench/peer-loops.h"

static void retire(void)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}

const struct peer peer_mutex = {
	.name = "mutex",
	.read_batch = read_batch,
	.shared = true,
	.read_length = read_length,
	.read_object = read_object,
	.retire = retire,
};
