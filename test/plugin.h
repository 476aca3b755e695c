/* SPDX-License-Identifier: MIT */
/* What plugin.c, built as an object that is loaded at run time, offers to plugin-test.c. */
#ifndef TEST_PLUGIN_H
#define TEST_PLUGIN_H

#include <srcu/srcu.h>

struct plugin {
	struct srcu_struct *domain;       /* of DEFINE_SRCU() */
	struct srcu_struct *local_domain; /* of DEFINE_STATIC_SRCU() */
	struct srcu_struct *chain_domain; /* of SRCU_NOTIFIER_HEAD_STATIC() */

	/* @n sections of each kind, each reading *where; the sum of what was read. */
	uint64_t (*read)(struct srcu_struct *ssp, const uint64_t *const *where, unsigned int n);

	/* Queue a callback of the plug-in's on @ssp that adds one to *count. */
	int (*retire)(struct srcu_struct *ssp, uint64_t *count);

	/* When it is unloaded, its destructor uses its domains once more and adds to it. */
	uint64_t *unloaded;
};

#endif /* TEST_PLUGIN_H */
