/* SPDX-License-Identifier: MIT */
/* A plug-in with domains, readers and callbacks of its own. */
#include <srcu/notifier.h>

#include "plugin.h"

extern struct srcu_struct plugin_domain;
extern struct plugin plugin;

/*
 * Destructors may use the domains: those of the domains come last.  Among its like
 * the first in a unit is the last to run.
 */
__attribute__((destructor)) static void unloaded(void)
{
	if (!plugin.unloaded)
		return;
	srcu_read_unlock_fast(plugin.domain, srcu_read_lock_fast(plugin.domain));
	synchronize_srcu(plugin.local_domain);
	++*plugin.unloaded;
}

DEFINE_SRCU(plugin_domain);
DEFINE_STATIC_SRCU(plugin_local_domain);
SRCU_NOTIFIER_HEAD_STATIC(plugin_chain);

static uint64_t read_all(struct srcu_struct *ssp, const uint64_t *const *where, unsigned int n)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct srcu_ctr *ctr = srcu_read_lock_fast(ssp);
		int idx;

		sum += *srcu_dereference(*where, ssp);
		srcu_read_unlock_fast(ssp, ctr);
		idx = srcu_read_lock(ssp);
		sum += *srcu_dereference(*where, ssp);
		srcu_read_unlock(ssp, idx);
	}
	return sum;
}

static struct {
	struct srcu_head head;
	uint64_t *count;
} retired;

static void count_callback(struct srcu_head *head)
{
	(void)head;
	++*retired.count;
}

static int retire(struct srcu_struct *ssp, uint64_t *count)
{
	retired.count = count;
	return call_srcu(ssp, &retired.head, count_callback);
}

struct plugin plugin = {
	&plugin_domain,
	&plugin_local_domain,
	&plugin_chain.srcu,
	read_all,
	retire,
	NULL,
};
