/* SPDX-License-Identifier: MIT */
/*
 * Peer: seqcount_t with its copy helpers.  A write is without the lock that
 * excludes other writers.
 */
#include <seqcount/seqcount.h>

#define SEQ_GUARD       seqcount_t
#define SEQ_INIT(guard) seqcount_init(guard)

#define SEQ_READ(guard, copy, data)                                 \
	do {                                                        \
		unsigned int start;                                 \
                                                                    \
		do {                                                \
			start = read_seqcount_begin(guard);         \
			seqcount_load(copy, data, sizeof(*(copy))); \
		} while (read_seqcount_retry(guard, start));        \
	} while (0)

#define SEQ_WRITE(guard, data, copy)                         \
	do {                                                 \
		write_seqcount_begin(guard);                 \
		seqcount_store(data, copy, sizeof(*(copy))); \
		write_seqcount_end(guard);                   \
	} while (0)

#include "bench/seq-loops.h"

const struct seq_peer seq_seqcount = {.name = "seqcount", SEQ_PEER};
