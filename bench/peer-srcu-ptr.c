/* SPDX-License-Identifier: MIT */
/*
 * Peer: srcu_read_lock_fast() on a domain that lies in a heap object and is
 * reached through a pointer.  Its grace periods are those of srcu_fast.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/peer.h"

static struct srcu_struct *domain;

static int prepare(void)
{
	domain = malloc(sizeof(*domain));
	if (!domain)
		return -ENOMEM;
	return init_srcu_struct(domain);
}

static void read_batch(long n)
{
	struct srcu_struct *ssp = domain;

	for (; n > 0; n--) {
		struct srcu_ctr *ctr = srcu_read_lock_fast(ssp);

		srcu_read_unlock_fast(ssp, ctr);
	}
}

const struct peer peer_srcu_fast_ptr = {
	.name = "srcu_fast_ptr",
	.prepare = prepare,
	.read_batch = read_batch,
};
