/* SPDX-License-Identifier: MIT */
/*
 * The list of domains without a slot, which a fork cannot find by it.  It is written
 * under a lock with signals blocked, so that no handler waits for what it interrupts,
 * and each change is one store, so that a child of a fork finds it as it was or will be.
 */
#include "internal.h"

static uint32_t list_lock;
static struct srcu_struct *domains;

/* What points to the domain, or the end of the list. */
static struct srcu_struct **link_to(const struct srcu_struct *ssp)
{
	struct srcu_struct **link = &domains;

	while (*link && *link != ssp)
		link = &(*link)->next_slotless_;
	return link;
}

static void lock(sigset_t *before)
{
	srcu_block_signals(before);
	srcu_lock(&list_lock);
}

static void unlock(const sigset_t *before)
{
	srcu_unlock(&list_lock);
	srcu_restore_signals(before);
}

/* It may be there already: several threads may be the first to use a domain. */
void srcu_slotless_add(struct srcu_struct *ssp)
{
	sigset_t before;

	lock(&before);
	if (!*link_to(ssp)) {
		ssp->next_slotless_ = domains;
		__atomic_store_n(&domains, ssp, __ATOMIC_RELEASE);
	}
	unlock(&before);
}

void srcu_slotless_remove(const struct srcu_struct *ssp)
{
	sigset_t before;

	if (likely(!__atomic_load_n(&domains, __ATOMIC_RELAXED)))
		return;
	lock(&before);
	if (*link_to(ssp))
		__atomic_store_n(link_to(ssp), ssp->next_slotless_, __ATOMIC_RELEASE);
	unlock(&before);
}

/* In the child of a fork. */
void srcu_slotless_for_each(void (*visit)(struct srcu_struct *ssp))
{
	for (struct srcu_struct *ssp = domains; ssp; ssp = ssp->next_slotless_)
		visit(ssp);
}
