/* SPDX-License-Identifier: MIT */
/* The plug-in of plugin-unload.c: its callbacks are code that will be unloaded. */
#include <stddef.h>
#include <stdlib.h>

#include "plugin.h"

struct request {
	unsigned long *done;
	struct srcu_head head;
};

static void finish(struct srcu_head *head)
{
	struct request *r = (struct request *)((char *)head - offsetof(struct request, head));

	__atomic_fetch_add(r->done, 1, __ATOMIC_RELAXED);
	free(r);
}

static int handle(struct srcu_struct *ssp, unsigned long *done, int request)
{
	struct request *r = malloc(sizeof(*r));

	if (!r)
		abort();
	r->done = done;
	if (call_srcu(ssp, &r->head, finish))
		abort();
	return request * 2;
}

extern const struct plugin plugin;
const struct plugin plugin = {handle};
