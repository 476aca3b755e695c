/* SPDX-License-Identifier: MIT */
/*
 * Peer: a domain whose updaters are organised by one lock.  Its readers are those
 * of any other domain.
 */
#include "bench/reader.h"

static struct srcu_struct domain;

static int prepare(void)
{
	return init_srcu_struct_with(&domain,
		&(struct srcu_options){.name = "classic", .updates = SRCU_UPDATES_CLASSIC});
}

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
	synchronize_srcu(&domain);
}

static int stats(struct srcu_stats *s)
{
	return srcu_get_stats(&domain, s);
}

const struct peer peer_srcu_classic = {
	.name = "srcu_classic",
	.prepare = prepare,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	.concurrent = true,
};
