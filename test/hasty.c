/* SPDX-License-Identifier: MIT */
/* Loaded in front of the library: an expedited grace period that waits for nobody. */
#include <srcu/srcu.h>

void __synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	(void)ssp;
}
