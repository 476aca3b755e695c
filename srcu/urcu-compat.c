/* SPDX-License-Identifier: MIT */
/*
 * What <srcu/urcu-compat.h> cannot have inline: the domain, and each thread's
 * count of its sections.  All of it is async-signal-safe.
 */
#include <srcu/urcu-compat.h>

#include "internal.h"

DEFINE_SRCU(srcu_urcu_domain);

ptrdiff_t srcu_urcu_offset_;

struct srcu_urcu_sections_ *srcu_urcu_thread_(void)
{
	static __thread struct srcu_urcu_sections_ self __attribute__((tls_model("initial-exec")));

	return &self;
}

#ifdef SRCU_RSEQ_INLINE
__attribute__((constructor)) static void find_offset(void)
{
	srcu_urcu_offset_ = (char *)srcu_urcu_thread_() - srcu_thread_pointer_();
}
#endif

void srcu_urcu_unmatched_(void)
{
	srcu_warn_at(&srcu_urcu_domain, CALL_SITE, "rcu_read_unlock: without rcu_read_lock");
}
