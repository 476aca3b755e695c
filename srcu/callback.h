/* SPDX-License-Identifier: MIT */
/*
 * What callback.c, which has the batches and the barriers, shares with
 * callback-fork.c, which puts them right in the child of a fork.
 */
#ifndef SRCU_CALLBACK_H
#define SRCU_CALLBACK_H

#include "internal.h"

static inline struct srcu_batch_ *batch(struct srcu_struct *ssp, enum srcu_batch_nr nr)
{
	return &ssp->batches_[nr];
}

static inline bool any(const struct srcu_struct *ssp, enum srcu_batch_nr nr)
{
	return ssp->batches_[nr].last;
}

/* The thread that invokes, or 0. */
static inline uint32_t invoker(const struct srcu_struct *ssp)
{
	uint32_t number = __atomic_load_n(&ssp->invoker_, __ATOMIC_RELAXED);

	return srcu_thread_left_behind(number) ? 0 : number;
}

/*
 * One who waits in srcu_barrier(): for the callback that was the last when it
 * came; for the one being invoked, once that is it; or, if there was none but
 * those in the invoker's hands, for the last of them.
 */
struct srcu_barrier_ {
	struct srcu_barrier_ *next;
	const struct srcu_head *last;
	uint32_t thread;
	uint32_t reached;
};

/* What those wait for who wait for the last of the callbacks in the invoker's hands. */
extern const struct srcu_head srcu_in_hand;

/*
 * Under cb_lock_: those who wait for @from wait for @to instead; NULL: no longer.
 * True if there were any.
 */
bool srcu_redirect_barriers(
	struct srcu_struct *ssp, const struct srcu_head *from, const struct srcu_head *to);

/* callback-fork.c: under cb_lock_, with no callback in hand: count those that are queued. */
void srcu_callbacks_settle(struct srcu_struct *ssp);

#endif /* SRCU_CALLBACK_H */
