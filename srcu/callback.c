/* SPDX-License-Identifier: MIT */
/*
 * Callbacks, from the lists to their invocation: a line of batches, each of which
 * is moved as a whole behind the next, under cb_lock_:
 *
 *   collected   taken off the lists
 *   next        wait for the grace period after the one under way
 *   current     wait for the one under way
 *   ready       their grace period has passed
 *   invoking    the invoker's, with or without the lock
 *
 * One thread at a time invokes a domain's callbacks: a thread of the library's,
 * or whoever waits for them.  All of it lies in the domain, so that a child made
 * by fork() finds what is still queued, whatever other threads were doing.
 */
#include <errno.h>
#include <pthread.h>

#include "callback.h"
#include "debug.h"
#include "probe.h"

#define STUCK_NS 10000000u

static bool anything_queued(const struct srcu_struct *ssp)
{
	return any(ssp, BATCH_COLLECTED) || srcu_callbacks_queued(ssp);
}

/* Has a fork made this process since the batches were put right? */
static bool forked(const struct srcu_struct *ssp)
{
	return unlikely(__atomic_load_n(&ssp->generation_, __ATOMIC_RELAXED) != srcu_generation());
}

static void recover_if_forked(struct srcu_struct *ssp)
{
	if (forked(ssp))
		srcu_callbacks_recover(ssp);
}

static bool cb_trylock(struct srcu_struct *ssp)
{
	if (!srcu_trylock(&ssp->cb_lock_))
		return false;
	recover_if_forked(ssp);
	return true;
}

static void cb_lock(struct srcu_struct *ssp)
{
	srcu_lock(&ssp->cb_lock_);
	recover_if_forked(ssp);
}

static void cb_unlock(struct srcu_struct *ssp)
{
	srcu_unlock(&ssp->cb_lock_);
	/* A handler has forked meanwhile, and had to leave this to us. */
	if (forked(ssp)) {
		srcu_lock(&ssp->cb_lock_);
		recover_if_forked(ssp);
		srcu_unlock(&ssp->cb_lock_);
	}
}

/* Under cb_lock_: what has waited long enough is ready. */
static void retire(struct srcu_struct *ssp)
{
	while (any(ssp, BATCH_CURRENT) && srcu_gp_done(ssp, batch(ssp, BATCH_CURRENT)->number)) {
		full_fence(); /* F */
		srcu_batch_move(batch(ssp, BATCH_READY), batch(ssp, BATCH_CURRENT));
		srcu_batch_move(batch(ssp, BATCH_CURRENT), batch(ssp, BATCH_NEXT));
	}
}

/*
 * Under cb_lock_: take what is queued and give it the number of its grace
 * period.  The number comes before retire(): what that leaves waits for the
 * number or the one before, so that two batches are enough.  False: it cannot be
 * taken now.
 */
static bool stage(struct srcu_struct *ssp)
{
	struct srcu_batch_ *collected = batch(ssp, BATCH_COLLECTED);
	uint64_t number;

	if (!anything_queued(ssp))
		return true;
	if (!srcu_callbacks_collect(ssp))
		return false;
	INJECT(NUMBER);
	number = srcu_gp_next(ssp); /* S */
	retire(ssp);
	collected->number = number;
	if (!any(ssp, BATCH_CURRENT) || batch(ssp, BATCH_CURRENT)->number == number)
		srcu_batch_move(batch(ssp, BATCH_CURRENT), collected);
	else
		srcu_batch_move(batch(ssp, BATCH_NEXT), collected);
	raise_u64(&ssp->needed_, number);
	return true;
}

/* Take what is queued, if that is possible now. */
void srcu_callbacks_stage(struct srcu_struct *ssp)
{
	cb_lock(ssp);
	stage(ssp);
	cb_unlock(ssp);
}

/* Under cb_lock_. */
static enum srcu_step step(struct srcu_struct *ssp)
{
	stage(ssp);
	if (any(ssp, BATCH_CURRENT))
		srcu_gp_try(ssp);
	retire(ssp);
	if (invoker(ssp))
		return STEP_INVOKING;
	if (any(ssp, BATCH_READY) || any(ssp, BATCH_INVOKING))
		return STEP_READY;
	return any(ssp, BATCH_CURRENT) || anything_queued(ssp) ? STEP_WAITING : STEP_IDLE;
}

/* Take the callbacks as far as they go without waiting, for locks neither. */
enum srcu_step srcu_callbacks_step(struct srcu_struct *ssp)
{
	enum srcu_step result;

	if (!cb_trylock(ssp))
		return STEP_LOCKED;
	result = step(ssp);
	cb_unlock(ssp);
	return result;
}

/* Wake those who wait for callbacks: either they see the event, or we see them. */
static void wake_waiters(struct srcu_struct *ssp)
{
	__atomic_fetch_add(&ssp->cb_event_, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ssp->cb_sleepers_, __ATOMIC_SEQ_CST))
		srcu_futex_wake(&ssp->cb_event_);
}

static const struct srcu_head being_invoked;
const struct srcu_head srcu_in_hand;

static bool reached(const struct srcu_barrier_ *barrier)
{
	return __atomic_load_n(&barrier->reached, __ATOMIC_ACQUIRE);
}

bool srcu_redirect_barriers(
	struct srcu_struct *ssp, const struct srcu_head *from, const struct srcu_head *to)
{
	struct srcu_barrier_ **link = &ssp->barriers_, *barrier;
	bool found = false;

	while ((barrier = *link)) {
		if (barrier->last != from) {
			link = &barrier->next;
			continue;
		}
		found = true;
		barrier->last = to;
		if (to)
			continue;
		__atomic_store_n(link, barrier->next, __ATOMIC_RELAXED);
		/* Release: srcu_barrier() may return now, and the barrier is gone. */
		__atomic_store_n(&barrier->reached, true, __ATOMIC_RELEASE);
	}
	return found;
}

static bool redirect_barriers_locked(
	struct srcu_struct *ssp, const struct srcu_head *from, const struct srcu_head *to)
{
	bool found;

	cb_lock(ssp);
	found = srcu_redirect_barriers(ssp, from, to);
	cb_unlock(ssp);
	return found;
}

/* TSan's view of a user's program: the library may not be part of it. */
extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

static void invoke_one(struct srcu_struct *ssp, struct srcu_head *head)
{
	/* Who waits for this one came before it was in our hands, under the lock. */
	bool awaited = __atomic_load_n(&ssp->barriers_, __ATOMIC_RELAXED) &&
		       redirect_barriers_locked(ssp, head, &being_invoked);

	if (__tsan_acquire) {
		__tsan_acquire(head); /* call_srcu() */
		__tsan_acquire(ssp);  /* the readers that were waited for */
	}
	INJECT(INVOKE);
	head->queued_ = 0;
	PROBE(callback_invoke, ssp, head);
	head->func_(head);
	if (__tsan_release)
		__tsan_release(ssp);
	/* Release: pairs with the acquire in cleanup_srcu_struct(). */
	__atomic_store_n(&ssp->invoked_, ssp->invoked_ + 1, __ATOMIC_RELEASE);
	if (unlikely(awaited)) {
		redirect_barriers_locked(ssp, &being_invoked, NULL);
		wake_waiters(ssp);
	}
}

/* The invoker's: the next callback, which is not in the batch any more. */
static struct srcu_head *pop(struct srcu_struct *ssp)
{
	struct srcu_batch_ *invoking = batch(ssp, BATCH_INVOKING);
	struct srcu_head *head = invoking->first;

	if (!invoking->last)
		return NULL;
	if (head == invoking->last)
		__atomic_store_n(&invoking->last, NULL, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&invoking->first, head->next_, __ATOMIC_RELAXED);
	return head;
}

/* Become the invoker, and take what is ready; false when somebody else is or nothing. */
static bool begin_invoking(struct srcu_struct *ssp)
{
	bool can;

	cb_lock(ssp);
	retire(ssp);
	can = !invoker(ssp) && (any(ssp, BATCH_READY) || any(ssp, BATCH_INVOKING));
	if (can) {
		__atomic_store_n(&ssp->invoker_, srcu_thread_number(), __ATOMIC_RELAXED);
		srcu_batch_move(batch(ssp, BATCH_INVOKING), batch(ssp, BATCH_READY));
	}
	cb_unlock(ssp);
	return can;
}

/* @generation: that of the process in which it began. */
static void end_invoking(struct srcu_struct *ssp, uint32_t generation)
{
	cb_lock(ssp);
	srcu_redirect_barriers(ssp, &srcu_in_hand, batch(ssp, BATCH_INVOKING)->last);
	__atomic_store_n(&ssp->invoker_, 0, __ATOMIC_RELAXED);
	if (unlikely(generation != srcu_generation()))
		srcu_callbacks_settle(ssp);
	cb_unlock(ssp);
	wake_waiters(ssp);
	srcu_look_again(ssp);
}

/*
 * Invoke callbacks that are ready now, @most of them and at most up to what a
 * barrier waits for, unless another thread does.  False when there was none.
 */
static bool invoke(
	struct srcu_struct *ssp, uint64_t most, const struct srcu_barrier_ *up_to, uint64_t *count)
{
	uint32_t generation = srcu_generation();
	struct srcu_head *head;
	int state;

	*count = 0;
	if (!begin_invoking(ssp))
		return false;
	/* A thread that is cancelled in a callback would leave the others for ever. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	while (*count < most && !(up_to && reached(up_to)) && (head = pop(ssp))) {
		invoke_one(ssp, head);
		++*count;
	}
	pthread_setcancelstate(state, NULL);
	end_invoking(ssp, generation);
	return true;
}

uint64_t srcu_invoke(struct srcu_struct *ssp, uint64_t most)
{
	uint64_t count;

	invoke(ssp, most, NULL, &count);
	return count;
}

uint64_t srcu_run_callbacks(struct srcu_struct *ssp, uint64_t max)
{
	uintptr_t word;

	if (!srcu_domain_usable(ssp, "srcu_run_callbacks", &word) || !max)
		return 0;
	srcu_callbacks_stage(ssp);
	srcu_gp_try(ssp);
	return srcu_invoke(ssp, max);
}

/*
 * Under cb_lock_, which is let go while that is refused: take what is queued, and
 * tell which batch has the last of it.  @number: the grace period that it waits
 * for, 0 if none.
 */
static enum srcu_batch_nr stage_last(struct srcu_struct *ssp, uint64_t *number)
{
	static const uint32_t never;
	enum srcu_batch_nr nr = BATCH_NEXT;

	while (!stage(ssp)) {
		cb_unlock(ssp);
		srcu_futex_wait(&never, 0, STUCK_NS);
		cb_lock(ssp);
	}
	while (nr < BATCH_INVOKING && !any(ssp, nr))
		nr++;
	*number = nr <= BATCH_CURRENT ? batch(ssp, nr)->number : 0;
	return nr;
}

/*
 * Will this thread wait for itself?  Before it is among those who
 * wait, since the handler that gets the report may do as it likes.
 */
static void check_self_wait(struct srcu_struct *ssp, const char *function, const void *site)
{
	uint64_t number;

	cb_lock(ssp);
	stage_last(ssp, &number);
	cb_unlock(ssp);
	if (!srcu_gp_done(ssp, number))
		srcu_debug_wait(ssp, function, site);
}

/* Wait for the last that is queued: false when there is nothing to wait for. */
static bool join(struct srcu_struct *ssp, struct srcu_barrier_ *barrier, uint64_t *number)
{
	enum srcu_batch_nr nr;
	bool joined;

	cb_lock(ssp);
	nr = stage_last(ssp, number);
	barrier->last = nr == BATCH_INVOKING && invoker(ssp) ? &srcu_in_hand : batch(ssp, nr)->last;
	joined = barrier->last;
	if (joined) {
		barrier->next = ssp->barriers_;
		__atomic_store_n(&ssp->barriers_, barrier, __ATOMIC_RELEASE);
	}
	/* Behind the lock the barrier is the invoker's until it is reached. */
	cb_unlock(ssp);
	return joined;
}

/* Invoke callbacks as far as the barrier needs, or wait for the one who does. */
static void invoke_or_wait(struct srcu_struct *ssp, const struct srcu_barrier_ *barrier)
{
	while (!reached(barrier)) {
		uint32_t event = __atomic_load_n(&ssp->cb_event_, __ATOMIC_ACQUIRE);
		uint64_t count;

		if (reached(barrier) || invoke(ssp, UINT64_MAX, barrier, &count))
			continue;
		__atomic_fetch_add(&ssp->cb_sleepers_, 1, __ATOMIC_SEQ_CST);
		srcu_futex_wait(&ssp->cb_event_, event, UINT64_MAX);
		__atomic_fetch_sub(&ssp->cb_sleepers_, 1, __ATOMIC_RELAXED);
	}
}

int srcu_barrier_at(struct srcu_struct *ssp, const char *function, const void *site)
{
	struct srcu_barrier_ barrier = {0};
	uint64_t number;
	uintptr_t word;

	if (!srcu_domain_usable_at(ssp, function, site, &word))
		return -EINVAL;
	if (srcu_in_callback(ssp))
		return -EDEADLK;
	barrier.thread = srcu_thread_number();
	if (srcu_debugged(ssp) || srcu_lock_is_mine(&ssp->gp_lock_))
		check_self_wait(ssp, function, site);
	if (!join(ssp, &barrier, &number))
		return 0;
	if (!srcu_gp_done(ssp, number))
		srcu_gp_wait(ssp, number, UINT64_MAX);
	invoke_or_wait(ssp, &barrier);
	return 0;
}

int __srcu_barrier(struct srcu_struct *ssp)
{
	return srcu_barrier_at(ssp, "srcu_barrier", CALL_SITE);
}
