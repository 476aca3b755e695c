/* SPDX-License-Identifier: MIT */
/* What plugin-unload.c and its plug-in know of each other. */
#include <srcu/srcu.h>

struct plugin {
	/* Called in a section of @ssp; queues callbacks there, which add one to *@done. */
	int (*handle)(struct srcu_struct *ssp, unsigned long *done, int request);
};
