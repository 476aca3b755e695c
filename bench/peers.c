/* SPDX-License-Identifier: MIT */
/*
 * The list of peers.  The program walks it; nothing else knows the adapters.
 */
#include <stddef.h>

#include "bench/peer.h"

const struct peer *const peers[] = {
	&peer_srcu_fast,
	&peer_srcu,
	&peer_srcu_expedited,
	&peer_srcu_classic,
	&peer_srcu_fenced,
	&peer_srcu_fast_ptr,
	&peer_srcu_fast_pic,
	&peer_srcu_pic,
#ifdef HAVE_LIBURCU
	&peer_urcu_memb,
	&peer_urcu_mb,
	&peer_urcu_bp,
	&peer_urcu_qsbr,
	&peer_urcu_memb_call,
	&peer_urcu_mb_call,
	&peer_urcu_bp_call,
#endif
#ifdef HAVE_CK
	&peer_ck_epoch,
#endif
	&peer_rwlock,
	&peer_mutex,
	&peer_spinlock,
	&peer_refcount,
	&peer_stores,
	&peer_none,
	&peer_membarrier,
	NULL,
};
