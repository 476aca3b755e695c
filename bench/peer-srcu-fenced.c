/* SPDX-License-Identifier: MIT */
/*
 * Peer: srcu_read_lock_fast() on a domain of fenced readers.
 */
#include "bench/reader.h"

static struct srcu_struct domain;

static int prepare(void)
{
	return init_srcu_struct_with(
		&domain, &(struct srcu_options){.name = "fenced", .readers = SRCU_READERS_FENCED});
}

static void read_batch(long n)
{
	for (; n > 0; n--) {
		struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);

		srcu_read_unlock_fast(&domain, ctr);
	}
}

static void read_loop(struct reader *reader)
{
	while (reader_goes_on(reader)) {
		struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);

		spend_ns(reader->in_ns);
		srcu_read_unlock_fast(&domain, ctr);
		reader_outside(reader);
	}
}

static void synchronize(void)
{
	synchronize_srcu(&domain);
}

static int stats(struct srcu_stats *s)
{
	return srcu_get_stats(&domain, s);
}

const struct peer peer_srcu_fenced = {
	.name = "srcu_fenced",
	.prepare = prepare,
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	.concurrent = true,
};
