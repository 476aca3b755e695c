/* SPDX-License-Identifier: MIT */
/*
 * The batches and the barriers of callback.c in the child of a fork, which has
 * none of the threads that were at them.
 */
#include "callback.h"

/* Mark each head that has been collected as this process does; how many there are. */
static uint64_t mark_all(struct srcu_struct *ssp)
{
	uint64_t count = 0;

	for (int nr = BATCH_COLLECTED; nr <= BATCH_INVOKING; nr++) {
		const struct srcu_head *last = ssp->batches_[nr].last;
		struct srcu_head *head = last ? ssp->batches_[nr].first : NULL;

		for (; head; head = head == last ? NULL : head->next_, count++)
			srcu_mark_queued(head);
	}
	return count;
}

/*
 * In the child of a fork, under cb_lock_, with no callback in hand: those that were
 * counted and are not queued, since another thread was about to queue them or invoked
 * them, are the parent's.  Those that this thread is about to queue do no harm, nor do
 * all of the former when C is refused: the count is too high then.
 */
void srcu_callbacks_settle(struct srcu_struct *ssp)
{
	bool collected = srcu_callbacks_collect(ssp);
	uint64_t here = mark_all(ssp);

	if (collected)
		__atomic_store_n(
			&ssp->invoked_, srcu_callbacks_count(ssp) - here, __ATOMIC_RELEASE);
}

static bool in_batches(const struct srcu_struct *ssp, const struct srcu_head *wanted)
{
	for (int nr = BATCH_COLLECTED; nr <= BATCH_INVOKING; nr++) {
		const struct srcu_head *last = ssp->batches_[nr].last;
		const struct srcu_head *head = last ? ssp->batches_[nr].first : NULL;

		while (head && head != wanted)
			head = head == last ? NULL : head->next_;
		if (head)
			return true;
	}
	return false;
}

/* This thread waits, under a handler, for one that a thread left behind has in its hands. */
static void release_barriers(struct srcu_struct *ssp)
{
	struct srcu_barrier_ *barrier, *next;

	srcu_redirect_barriers(ssp, &srcu_in_hand, batch(ssp, BATCH_INVOKING)->last);
	for (barrier = ssp->barriers_; barrier; barrier = next) {
		next = barrier->next;
		if (!in_batches(ssp, barrier->last))
			srcu_redirect_barriers(ssp, barrier->last, NULL);
	}
}

/*
 * Under cb_lock_, in the child of a fork: put right what threads that stayed
 * behind were doing to the batches, and forget those of them who waited.
 */
void srcu_callbacks_recover(struct srcu_struct *ssp)
{
	struct srcu_barrier_ **link = &ssp->barriers_;

	__atomic_store_n(&ssp->generation_, srcu_generation(), __ATOMIC_RELAXED);
	for (int from = BATCH_COLLECTED; from < BATCH_INVOKING; from++)
		for (int to = from + 1; to <= BATCH_INVOKING; to++)
			if (ssp->batches_[from].last == ssp->batches_[to].last)
				ssp->batches_[from].last = NULL;
	srcu_lists_recover(ssp);
	if (!any(ssp, BATCH_CURRENT)) /* retire() was between the two */
		srcu_batch_move(batch(ssp, BATCH_CURRENT), batch(ssp, BATCH_NEXT));
	for (int nr = BATCH_NEXT; nr <= BATCH_CURRENT; nr++)
		if (any(ssp, (enum srcu_batch_nr)nr))
			raise_u64(&ssp->needed_, ssp->batches_[nr].number);
	while (*link)
		if (srcu_thread_left_behind((*link)->thread))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	if (invoker(ssp)) {
		srcu_callbacks_collect(ssp);
		mark_all(ssp); /* this thread, which settles the count at its end */
	} else {
		release_barriers(ssp);
		srcu_callbacks_settle(ssp);
	}
}
