/* SPDX-License-Identifier: MIT */
/*
 * Peer: srcu_read_lock(), with its int token, on a static domain.  Built twice:
 * into the program, with inline readers, and with BENCH_PIC into a shared
 * object, where the readers are libsrcu's out-of-line ones and grace periods
 * are not measured again.
 */
#include "bench/reader.h"

DEFINE_STATIC_SRCU(domain);

static void read_batch(long n)
{
	for (; n > 0; n--) {
		int idx = srcu_read_lock(&domain);

		srcu_read_unlock(&domain, idx);
	}
}

#ifdef BENCH_PIC
const struct peer peer_srcu_pic = {
	.name = "srcu_pic",
	.read_batch = read_batch,
};
#else
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

const struct peer peer_srcu = {
	.name = "srcu",
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	.stats = stats,
	.concurrent = true,
};
#endif
