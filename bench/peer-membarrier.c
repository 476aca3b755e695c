/* SPDX-License-Identifier: MIT */
/*
 * Peer: readers that do nothing, and one membarrier() for each wait, which is what
 * a grace period costs at least where readers have no fences.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/peer.h"

#define PEER_TOKEN         int
#define PEER_LOCK()        peer_keep()
#define PEER_UNLOCK(token) ((void)(token))
#include "bench/peer-loops.h"

static int call_membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) ? -errno : 0;
}

static int prepare(void)
{
	return call_membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

static void synchronize(void)
{
	call_membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

const struct peer peer_membarrier = {
	.name = "membarrier",
	.prepare = prepare,
	.read_loop = read_loop,
	.synchronize = synchronize,
};
