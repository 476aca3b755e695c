/* SPDX-License-Identifier: MIT */
/*
 * Peer: seqcount_latch_t, whose writer changes two copies.  A write is without the
 * lock that excludes other writers.
 */
#include <seqcount/latch.h>

#define SEQ_GUARD       seqcount_latch_t
#define SEQ_INIT(guard) seqcount_latch_init(guard)
#define SEQ_COPIES      2

#define SEQ_READ(guard, copy, data)                                               \
	do {                                                                      \
		unsigned int start;                                               \
                                                                                  \
		do {                                                              \
			start = read_seqcount_latch(guard);                       \
			seqcount_load(copy, &(data)[start & 1], sizeof(*(copy))); \
		} while (read_seqcount_latch_retry(guard, start));                \
	} while (0)

#define SEQ_WRITE(guard, data, copy)                               \
	do {                                                       \
		write_seqcount_latch_begin(guard);                 \
		seqcount_store(&(data)[0], copy, sizeof(*(copy))); \
		write_seqcount_latch(guard);                       \
		seqcount_store(&(data)[1], copy, sizeof(*(copy))); \
		write_seqcount_latch_end(guard);                   \
	} while (0)

#include "bench/seq-loops.h"

const struct seq_peer seq_latch = {.name = "seqcount_latch", SEQ_PEER};
