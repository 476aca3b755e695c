/* SPDX-License-Identifier: MIT */
/*
 * Peer: synchronize_srcu_expedited().  Its readers are those of any other domain.
 */
#include "bench/reader.h"

DEFINE_STATIC_SRCU(domain);

static void read_loop(struct reader *reader)
{
	while (reader_goes_on(reader)) {
		int idx = srcu_read_lock(&domain);

		spend_ns(reader->in_ns);
		srcu_read_unlock(&domain, idx);
		reader_outside(reader);
	}
}

static void synchronize(void)
{
	synchronize_srcu_expedited(&domain);
}

static int stats(struct srcu_stats *s)
{
	return srcu_get_stats(&domain, s);
}

const struct peer peer_srcu_expedited = {
	.name = "srcu_expedited",
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	.concurrent = true,
};
