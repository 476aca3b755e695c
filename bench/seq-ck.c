/* SPDX-License-Identifier: MIT */
/*
 * Peer: Concurrency Kit's ck_sequence around a plain copy, as its users have it.
 * A write is without the lock that excludes other writers.
 */
#include <ck_sequence.h>

#define SEQ_GUARD       ck_sequence_t
#define SEQ_INIT(guard) ck_sequence_init(guard)

#define SEQ_READ(guard, copy, data)               \
	do {                                      \
		unsigned int version;             \
                                                  \
		CK_SEQUENCE_READ(guard, &version) \
		*(copy) = *(data);                \
	} while (0)

#define SEQ_WRITE(guard, data, copy)            \
	do {                                    \
		ck_sequence_write_begin(guard); \
		*(data) = *(copy);              \
		ck_sequence_write_end(guard);   \
	} while (0)

#include "bench/seq-loops.h"

const struct seq_peer seq_ck = {.name = "ck_sequence", SEQ_PEER};
