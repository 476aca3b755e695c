/* SPDX-License-Identifier: MIT */
/*
 * Peer: a pthread spinlock.  An updater that has had it once since it unlinked something
 * has waited for all readers that saw that.
 */
#include <pthread.h>

#include "bench/peer.h"

static pthread_spinlock_t lock;

#define PEER_TOKEN         int
#define PEER_LOCK()        pthread_spin_lock(&lock)
#define PEER_UNLOCK(token) ((void)(token), pthread_spin_unlock(&lock))
#include "bench/peer-loops.h"

static int prepare(void)
{
	return -pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
}

static void retire(void)
{
	pthread_spin_lock(&lock);
	pthread_spin_unlock(&lock);
}

const struct peer peer_spinlock = {
	.name = "spinlock",
	.prepare = prepare,
	.read_batch = read_batch,
	.shared = true,
	.read_length = read_length,
	.read_object = read_object,
	.retire = retire,
};
