/* SPDX-License-Identifier: MIT */
/*
 * The lists that call_srcu() puts callbacks on: two per CPU, first in first out,
 * appended to by restartable sequences, and one for all, pushed on by atomic
 * instructions, for a CPU without lists, a sequence that was aborted and domains
 * of the classic kind.
 *
 * The consumer must not take a list from under a push on another CPU: the push
 * has read the tail, and would append to what was taken.  So it turns lists_ to
 * the other list of each CPU, makes C, which aborts the pushes under way, and
 * finds the old lists at rest.
 */
#include <errno.h>

#include "internal.h"
#include "percpu-memory.h"
#include "push.h"

#define UNITS 2

/*
 * Half of what a CPU has.  A push links the head behind the tail, or to first,
 * and ends with the store to tail.  An aborted one leaves nothing but a link
 * beyond the tail, where nobody looks.
 */
struct cpu_list {
	struct srcu_head *first;
	struct srcu_head *tail; /* NULL: the list is empty */
	uint64_t pushed;        /* ever; for the statistics */
} __attribute__((aligned(32)));

_Static_assert(2 * sizeof(struct cpu_list) == UNITS * PERCPU_UNIT, "a CPU's two lists");
#ifdef SRCU_RSEQ_INLINE
_Static_assert(offsetof(struct cpu_list, tail) == SRCU_LIST_TAIL, "the push knows it");
_Static_assert(offsetof(struct cpu_list, pushed) == SRCU_LIST_PUSHED, "the push knows it");
_Static_assert(offsetof(struct srcu_head, next_) == 0, "the push knows it");
#endif

/* lists_ is the address of one of CPU 0's two lists: this bit is which. */
#define OTHER_LIST ((uintptr_t)sizeof(struct cpu_list))

static struct cpu_list *list_on(uintptr_t lists, unsigned int cpu)
{
	return (struct cpu_list *)(lists + (uintptr_t)cpu * SRCU_PERCPU_STRIDE);
}

/*
 * Another one in each process: there may be heads that a thread left behind had in hand.
 * Plain: it is written when the process has one thread.
 */
static uintptr_t mark_key = ~(uintptr_t)0;

/* What the mark of a head that waits to be invoked is. */
static uintptr_t queued_mark(const struct srcu_head *head)
{
	return (uintptr_t)head ^ mark_key;
}

/* In the child of a fork: no head is marked. */
void srcu_forget_marks(void)
{
	mark_key = ~(uintptr_t)srcu_generation();
}

/* But for those that are queued here. */
void srcu_mark_queued(struct srcu_head *head)
{
	head->queued_ = queued_mark(head);
}

/* The domain's lists, taken now if there are none yet; 0: no memory. */
static uintptr_t lists_of(struct srcu_struct *ssp)
{
	uintptr_t unit, lists = __atomic_load_n(&ssp->lists_, __ATOMIC_ACQUIRE);

	if (lists)
		return lists;
	unit = srcu_percpu_take(PERCPU_LISTS, UNITS, UNITS);
	if (unit && !__atomic_compare_exchange_n(&ssp->lists_, &lists, unit, false,
			    __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE)) {
		srcu_percpu_give(PERCPU_LISTS, unit);
		return lists;
	}
	full_fence_after_rmw(); /* who finds no lists later on is seen to leave (W) */
	return unit;
}

/* Give the domain lists on this CPU.  Lock-free: may be in a handler. */
static bool cover_this_cpu(struct srcu_struct *ssp)
{
	int cpu = srcu_this_cpu();
	uintptr_t lists;

	if ((domain_flags(ssp) & DOMAIN_CLASSIC) || !srcu_have_rseq_barrier() || cpu < 0 ||
		(unsigned int)cpu >= nr_possible_cpus())
		return false;
	lists = lists_of(ssp);
	if (!lists || !srcu_percpu_open(lists & ~OTHER_LIST, (unsigned int)cpu))
		return false;
	raise_u32(&ssp->lists_mark_, (unsigned int)cpu + 1); /* who sees it sees lists_ too */
	return true;
}

static inline enum srcu_push_ push_on_cpu(struct srcu_struct *ssp, struct srcu_head *head)
{
#ifdef SRCU_RSEQ_INLINE
	return srcu_rseq_push_(&ssp->lists_, &ssp->lists_mark_, head);
#else
	(void)ssp;
	(void)head;
	return SRCU_NOT_PUSHED_;
#endif
}

/* Full fence after: pairs with the one of the grace-period thread before it rests. */
static void push_atomic(struct srcu_struct *ssp, struct srcu_head *head)
{
	struct srcu_head *first = __atomic_load_n(&ssp->pushed_, __ATOMIC_RELAXED);

	do {
		head->next_ = first;
		INJECT(PUSH);
	} while (!__atomic_compare_exchange_n(
		&ssp->pushed_, &first, head, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	full_fence_after_rmw();
}

/*
 * The first push on this CPU, one that was interrupted, or no lists at all.  Under
 * a debugger that steps every push is interrupted.  Keeps errno.
 */
__attribute__((noinline, cold)) static void push_slowly(
	struct srcu_struct *ssp, struct srcu_head *head, enum srcu_push_ result)
{
	int saved_errno = errno;

	for (int tries = 0; tries < 3 && result != SRCU_PUSHED_ && cover_this_cpu(ssp); tries++) {
		if (result == SRCU_COUNTED_)
			__atomic_fetch_sub(&ssp->pushed_count_, 1, __ATOMIC_RELAXED);
		result = push_on_cpu(ssp, head);
	}
	/* Before the push: the backlog is never negative. */
	if (result == SRCU_NOT_PUSHED_)
		__atomic_fetch_add(&ssp->pushed_count_, 1, __ATOMIC_RELAXED);
	if (result != SRCU_PUSHED_)
		push_atomic(ssp, head);
	errno = saved_errno;
}

/* What keeps a callback from being queued, which is reported; 0: nothing does.  Keeps errno. */
__attribute__((noinline, cold)) static int refusal(struct srcu_struct *ssp,
	const struct srcu_head *head, void (*func)(struct srcu_head *), const void *site)
{
	int saved_errno = errno, error = 0;
	uintptr_t word;

	if (!srcu_domain_usable_at(ssp, "call_srcu", site, &word)) {
		error = -EINVAL;
	} else if (!head || !func) {
		srcu_warn_at(ssp, site, "call_srcu: the %s is NULL", head ? "function" : "head");
		error = -EINVAL;
	} else if (head->queued_ == queued_mark(head)) {
		srcu_warn_at(
			ssp, site, "call_srcu: the head %p is queued already", (const void *)head);
		error = -EBUSY;
	}
	errno = saved_errno;
	return error;
}

__attribute__((noinline, cold)) static int wake_thread(struct srcu_struct *ssp)
{
	srcu_activate(ssp);
	return 0;
}

/* W: the compiler's half; where pushes are plain, leave()'s membarrier is the other. */
static inline int tell_thread(struct srcu_struct *ssp)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	INJECT(TELL);
	if (unlikely(__atomic_load_n(&ssp->active_, __ATOMIC_RELAXED) != DOMAIN_ACTIVE))
		return wake_thread(ssp);
	return 0;
}

/* What was not pushed, and may be misuse, or a domain without lists. */
__attribute__((noinline, cold)) static int call_unusual(struct srcu_struct *ssp,
	struct srcu_head *head, void (*func)(struct srcu_head *), enum srcu_push_ result,
	const void *site)
{
	int error = refusal(ssp, head, func, site);

	if (error)
		return error;
	head->func_ = func;
	srcu_mark_queued(head); /* not before: the process may have been found to be a new one */
	push_slowly(ssp, head, result);
	return tell_thread(ssp);
}

/*
 * A domain that is not initialised, or was cleaned up, has no lists: nothing is
 * pushed.  All calls are the last thing done, so that the usual way saves nothing.
 */
int __call_srcu(struct srcu_struct *ssp, struct srcu_head *head, void (*func)(struct srcu_head *))
{
	enum srcu_push_ result = SRCU_NOT_PUSHED_;

	if (likely(ssp && head && ssp->magic_ == SRCU_MAGIC_ &&
		    head->queued_ != queued_mark(head) && func)) {
		head->func_ = func;
		srcu_mark_queued(head);
		result = push_on_cpu(ssp, head);
		if (likely(result == SRCU_PUSHED_))
			return tell_thread(ssp);
		head->queued_ = 0;
	}
	return call_unusual(ssp, head, func, result, CALL_SITE);
}

/* Callbacks that call_srcu() ever took. */
uint64_t srcu_callbacks_count(const struct srcu_struct *ssp)
{
	unsigned int cpus = __atomic_load_n(&ssp->lists_mark_, __ATOMIC_ACQUIRE);
	uintptr_t lists = __atomic_load_n(&ssp->lists_, __ATOMIC_ACQUIRE);
	uint64_t sum = __atomic_load_n(&ssp->pushed_count_, __ATOMIC_RELAXED);

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		sum += __atomic_load_n(&list_on(lists, cpu)->pushed, __ATOMIC_RELAXED) +
		       __atomic_load_n(&list_on(lists ^ OTHER_LIST, cpu)->pushed, __ATOMIC_RELAXED);
	return sum;
}

/* Those of them that have not returned; never too few. */
uint64_t srcu_callbacks_left(const struct srcu_struct *ssp)
{
	/* In this order: a callback may queue another and return in between. */
	uint64_t invoked = __atomic_load_n(&ssp->invoked_, __ATOMIC_ACQUIRE);

	return srcu_callbacks_count(ssp) - invoked;
}

/* Is anything on the lists? */
bool srcu_callbacks_queued(const struct srcu_struct *ssp)
{
	unsigned int cpus = __atomic_load_n(&ssp->lists_mark_, __ATOMIC_ACQUIRE);
	uintptr_t lists = __atomic_load_n(&ssp->lists_, __ATOMIC_ACQUIRE);

	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		if (__atomic_load_n(&list_on(lists, cpu)->tail, __ATOMIC_RELAXED) ||
			__atomic_load_n(&list_on(lists ^ OTHER_LIST, cpu)->tail, __ATOMIC_RELAXED))
			return true;
	return __atomic_load_n(&ssp->pushed_, __ATOMIC_RELAXED) != NULL;
}

/*
 * Move all of one batch behind another.  The store to to->last commits it: a child
 * of a fork in between finds both with the same last, or the callbacks where they
 * were.  Only the last tells where a batch ends: a link behind it means nothing.
 */
void srcu_batch_move(struct srcu_batch_ *to, struct srcu_batch_ *from)
{
	if (!from->last)
		return;
	if (to->last)
		to->last->next_ = from->first;
	else
		to->first = from->first;
	to->number = from->number;
	__atomic_store_n(&to->last, from->last, __ATOMIC_RELEASE);
	__atomic_store_n(&from->last, NULL, __ATOMIC_RELEASE);
}

static struct srcu_batch_ *collected(struct srcu_struct *ssp)
{
	return &ssp->batches_[BATCH_COLLECTED];
}

/* Take the lists that are not pushed on, which are at rest. */
static void take_lists(struct srcu_struct *ssp, uintptr_t lists)
{
	unsigned int cpus = __atomic_load_n(&ssp->lists_mark_, __ATOMIC_ACQUIRE);

	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		struct cpu_list *list = list_on(lists, cpu);
		struct srcu_batch_ batch = {.first = list->first, .last = list->tail};

		/* The same last: a fork came between the two stores. */
		if (batch.last && batch.last != collected(ssp)->last)
			srcu_batch_move(collected(ssp), &batch);
		INJECT(TAKE);
		__atomic_store_n(&list->tail, NULL, __ATOMIC_RELEASE);
	}
}

/*
 * What was pushed by atomic instructions is turned round, the oldest first, in
 * steps that a child of a fork can go on with: chain_ has what is still to be
 * turned, what has been turned, what follows, and where it began.
 */
enum { CHAIN, TURNED, BEHIND, TOP };

static void detach_pushed(struct srcu_struct *ssp)
{
	struct srcu_head *first = __atomic_load_n(&ssp->pushed_, __ATOMIC_RELAXED);

	ssp->chain_[BEHIND] = NULL;
	do {
		ssp->chain_[TOP] = first;
		__atomic_store_n(&ssp->chain_[CHAIN], first, __ATOMIC_RELEASE);
		/* Acquire: pairs with the release of the push. */
	} while (!__atomic_compare_exchange_n(
		&ssp->pushed_, &first, NULL, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
}

static void turn_chain(struct srcu_struct *ssp)
{
	struct srcu_head **chain = ssp->chain_, *head;

	while ((head = chain[CHAIN])) {
		__atomic_store_n(&chain[BEHIND], head->next_, __ATOMIC_RELEASE);
		__atomic_store_n(&head->next_, chain[TURNED], __ATOMIC_RELEASE);
		__atomic_store_n(&chain[TURNED], head, __ATOMIC_RELEASE);
		__atomic_store_n(&chain[CHAIN], chain[BEHIND], __ATOMIC_RELEASE);
	}
	if (chain[TURNED]) {
		struct srcu_batch_ batch = {.first = chain[TURNED], .last = chain[TOP]};

		if (batch.last != collected(ssp)->last)
			srcu_batch_move(collected(ssp), &batch);
		__atomic_store_n(&chain[TURNED], NULL, __ATOMIC_RELEASE);
	}
}

/*
 * Take what was pushed on the CPUs' lists.  One who was refused C has turned them
 * already: then those that were current meanwhile are taken too.
 */
static bool collect_lists(struct srcu_struct *ssp)
{
	uintptr_t lists = __atomic_load_n(&ssp->lists_, __ATOMIC_ACQUIRE);
	bool once_more;

	if (!lists)
		return true;
	do {
		once_more = domain_flags(ssp) & DOMAIN_TURNED;
		if (!once_more) {
			lists ^= OTHER_LIST;
			/* Release: a push, by an address that comes from lists_, finds the list
			 * emptied. */
			__atomic_store_n(&ssp->lists_, lists, __ATOMIC_RELEASE);
		}
		INJECT(C);
		if (!srcu_barrier_all_pushes(ssp)) { /* C */
			__atomic_fetch_or(&ssp->flags_, DOMAIN_TURNED, __ATOMIC_RELAXED);
			return false;
		}
		take_lists(ssp, lists ^ OTHER_LIST);
		if (once_more)
			__atomic_fetch_and(&ssp->flags_, ~DOMAIN_TURNED, __ATOMIC_RELAXED);
	} while (once_more);
	return true;
}

/* Take all that was pushed before the call off the lists; false: C is refused. */
bool srcu_callbacks_collect(struct srcu_struct *ssp)
{
	if (!collect_lists(ssp))
		return false;
	if (__atomic_load_n(&ssp->pushed_, __ATOMIC_RELAXED)) {
		detach_pushed(ssp);
		turn_chain(ssp);
	}
	return true;
}

/* Where did the thread that was turning the chain stop? */
static void resume_chain(struct srcu_struct *ssp)
{
	struct srcu_head **chain = ssp->chain_, *head = chain[CHAIN];
	const struct srcu_head *pushed = __atomic_load_n(&ssp->pushed_, __ATOMIC_ACQUIRE);

	if (!head)
		return;
	while (pushed && pushed != head)
		pushed = pushed->next_;
	if (pushed) /* it had not been detached */
		chain[CHAIN] = NULL;
	else if (head == chain[TURNED])
		chain[CHAIN] = chain[BEHIND];
	else if (head->next_ == chain[TURNED]) {
		chain[TURNED] = head;
		chain[CHAIN] = chain[BEHIND];
	}
}

/*
 * In the child of a fork: finish what a thread that stayed behind had begun.  It
 * may have turned lists_ and not taken the lists, which nobody pushes on here.
 */
void srcu_lists_recover(struct srcu_struct *ssp)
{
	uintptr_t lists = __atomic_load_n(&ssp->lists_, __ATOMIC_ACQUIRE);

	resume_chain(ssp);
	turn_chain(ssp);
	if (lists)
		take_lists(ssp, lists ^ OTHER_LIST);
}

/* Free the lists of a domain that has no callbacks left. */
void srcu_callbacks_release(struct srcu_struct *ssp)
{
	uintptr_t lists = ssp->lists_ & ~OTHER_LIST;
	unsigned int cpus = ssp->lists_mark_;

	if (!lists)
		return;
	ssp->lists_mark_ = 0;
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		*list_on(lists, cpu) = (struct cpu_list){0};
		*list_on(lists ^ OTHER_LIST, cpu) = (struct cpu_list){0};
	}
	srcu_percpu_give(PERCPU_LISTS, lists);
}
