/* SPDX-License-Identifier: MIT */
/*
 * The writers of notifier chains: they change the links under the chain's lock
 * and, having taken a block off, wait for the calls that may still be at it.
 * The lock is not held during the wait, so that callbacks may register blocks
 * and a long callback delays no other writer.
 *
 * Every store to a link that a call may follow is a release.  It pairs with the
 * loads in srcu_notifier_call_chain(), which then see the block that they reach
 * as it was registered; this is true of an unregistration too, whose link leads
 * to a block that another thread may have registered.
 */
#include <errno.h>

#include <srcu/notifier.h>

#include "internal.h"

/* Under the lock: the link that leads to @nb, or NULL. */
static struct notifier_block **link_to(
	struct srcu_notifier_head *nh, const struct notifier_block *nb)
{
	struct notifier_block **link;

	for (link = &nh->head_; *link; link = &(*link)->next)
		if (*link == nb)
			return link;
	return NULL;
}

/* Under the lock: link @nb in behind the blocks of its priority or a higher one. */
static void insert(struct srcu_notifier_head *nh, struct notifier_block *nb)
{
	struct notifier_block **link = &nh->head_;

	while (*link && (*link)->priority >= nb->priority)
		link = &(*link)->next;
	SRCU_INIT_POINTER(nb->next, *link);
	srcu_assign_pointer(*link, nb);
}

int srcu_init_notifier_head(struct srcu_notifier_head *nh)
{
	if (!nh)
		return -EINVAL;
	nh->lock_ = 0;
	nh->head_ = NULL;
	return init_srcu_struct(&nh->srcu);
}

int srcu_cleanup_notifier_head(struct srcu_notifier_head *nh)
{
	int error = nh ? cleanup_srcu_struct(&nh->srcu) : -EINVAL;

	if (!error)
		SRCU_INIT_POINTER(nh->head_, NULL);
	return error;
}

int __srcu_notifier_chain_register(struct srcu_notifier_head *nh, struct notifier_block *nb)
{
	uintptr_t word;
	int error = 0;

	if (!nh || !nb || !nb->notifier_call ||
		!srcu_domain_usable(&nh->srcu, "srcu_notifier_chain_register", &word))
		return -EINVAL;
	srcu_lock(&nh->lock_);
	if (link_to(nh, nb))
		error = -EEXIST;
	else
		insert(nh, nb);
	srcu_unlock(&nh->lock_);
	return error;
}

int __srcu_notifier_chain_unregister(struct srcu_notifier_head *nh, struct notifier_block *nb)
{
	struct notifier_block **link;

	if (!nh || !nb)
		return -EINVAL;
	srcu_lock(&nh->lock_);
	link = link_to(nh, nb);
	if (link)
		srcu_assign_pointer(*link, nb->next);
	srcu_unlock(&nh->lock_);
	/* Calls that reached @nb, and that may yet reach it through a block taken off before. */
	synchronize_srcu(&nh->srcu);
	return link ? 0 : -ENOENT;
}
