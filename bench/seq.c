/* SPDX-License-Identifier: MIT */
/*
 * The list of peers that guard an object.  The program walks it; nothing else knows
 * the adapters.
 */
#include <stddef.h>

#include "bench/seq.h"

const struct seq_peer *const seq_peers[] = {
	&seq_seqcount,
	&seq_latch,
#ifdef HAVE_CK
	&seq_ck,
#endif
	&seq_rwlock,
	&seq_spinlock,
	&seq_mutex,
	NULL,
};

void seq_write_one(const void *object)
{
	((const struct seq_object *)object)->write(1);
}
