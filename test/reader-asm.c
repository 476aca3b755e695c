/* SPDX-License-Identifier: MIT */
/*
 * The inline readers as a program has them, on a domain behind a pointer, for
 * reader-asm.sh to disassemble.  Never run.
 */
#include <srcu/srcu.h>

void pair_fast(struct srcu_struct *ssp);
void pair_int(struct srcu_struct *ssp);

void pair_fast(struct srcu_struct *ssp)
{
	struct srcu_ctr *ctr = srcu_read_lock_fast(ssp);

	srcu_read_unlock_fast(ssp, ctr);
}

void pair_int(struct srcu_struct *ssp)
{
	int idx = srcu_read_lock(ssp);

	srcu_read_unlock(ssp, idx);
}
