/* SPDX-License-Identifier: MIT */
/*
 * The grace-period thread: takes the callbacks of all domains from their lists
 * to the invokers.  It blocks in no domain, sleeps when there is nothing to do,
 * has all signals blocked, and is never made in a signal handler: the first
 * init_srcu_struct() of a domain that wants it, srcu_start_callbacks(), or an
 * updater that finds callbacks and no thread makes it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "internal.h"

#define PAUSE_MIN_NS     50000u
#define PAUSE_MAX_NS     10000000u
#define PAUSE_HURRIED_NS 1000000u

static struct srcu_struct *arrivals; /* a stack of domains that have become active */
static uint32_t doorbell;            /* what the thread sleeps on */
static uint32_t left;                /* changes when a domain becomes inactive; sleeps too */
static uint32_t leaving;             /* no fewer clean-ups wait for it */
static uint64_t wakeups;

static uint32_t running;
static uint32_t starting; /* lock */

/* The caller has all signals blocked, which the thread inherits. */
int srcu_start_thread(void *(*function)(void *), const char *name)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
	/* The C library takes what the attributes do not set from the calling thread. */
	pthread_attr_setschedpolicy(&attributes, SCHED_OTHER);
	pthread_attr_setschedparam(&attributes, &(struct sched_param){.sched_priority = 0});
	error = pthread_create(&thread, &attributes, function, (void *)name);
	if (error) {
		/* Perhaps policies must not be set here, not even the default one. */
		pthread_attr_setinheritsched(&attributes, PTHREAD_INHERIT_SCHED);
		error = pthread_create(&thread, &attributes, function, (void *)name);
	}
	pthread_attr_destroy(&attributes);
	return -error;
}

uint64_t srcu_wakeups(void)
{
	return __atomic_load_n(&wakeups, __ATOMIC_RELAXED);
}

void srcu_count_wakeup(void)
{
	__atomic_fetch_add(&wakeups, 1, __ATOMIC_RELAXED);
}

static void ring(void)
{
	__atomic_fetch_add(&doorbell, 1, __ATOMIC_RELEASE);
	srcu_futex_wake(&doorbell);
}

static void push_arrival(struct srcu_struct *ssp)
{
	struct srcu_struct *first = __atomic_load_n(&arrivals, __ATOMIC_RELAXED);

	do
		ssp->next_ = first;
	/* Release: pairs with take_arrivals(). */
	while (!__atomic_compare_exchange_n(
		&arrivals, &first, ssp, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

static struct srcu_struct *take_arrivals(void)
{
	return __atomic_exchange_n(&arrivals, NULL, __ATOMIC_ACQUIRE);
}

/* Put an active domain where the thread finds it, and do not touch it any more. */
void srcu_arrive(struct srcu_struct *ssp)
{
	__atomic_store_n(&ssp->look_, 0, __ATOMIC_RELAXED);
	push_arrival(ssp);
	ring();
}

/*
 * The domain has callbacks: tell the thread.  A handler that forked between the mark and
 * the arrival would have the child do the latter twice.  Async-signal-safe; keeps errno.
 */
void srcu_activate(struct srcu_struct *ssp)
{
	int saved_errno = errno;
	sigset_t before;

	srcu_block_signals(&before);
	if (__atomic_exchange_n(&ssp->active_, DOMAIN_ACTIVE, __ATOMIC_ACQ_REL) == DOMAIN_INACTIVE)
		srcu_arrive(ssp);
	srcu_restore_signals(&before);
	errno = saved_errno;
}

/* Something about the domain has changed: do not wait as long as it was meant to. */
void srcu_look_again(struct srcu_struct *ssp)
{
	if ((domain_flags(ssp) & DOMAIN_CALLER) || srcu_serves(ssp) ||
		__atomic_load_n(&ssp->active_, __ATOMIC_RELAXED) == DOMAIN_INACTIVE)
		return;
	__atomic_store_n(&ssp->look_, 0, __ATOMIC_SEQ_CST);
	ring();
}

/*
 * Nothing is left to do for the domain: true when it is inactive from now on, and
 * not touched any more.  A push on a CPU's list is plain: either the membarrier
 * lets us see it, or it comes later and sees that we leave (W).  The atomic ones,
 * and the first on lists, have a full fence of their own.
 */
static bool leave(struct srcu_struct *ssp)
{
	uint32_t was_leaving = DOMAIN_LEAVING;

	__atomic_store_n(&ssp->active_, DOMAIN_LEAVING, __ATOMIC_RELAXED);
	full_fence();
	INJECT(W);
	if ((__atomic_load_n(&ssp->lists_, __ATOMIC_RELAXED) && !srcu_barrier_all_threads(ssp)) ||
		srcu_callbacks_step(ssp) != STEP_IDLE) {
		__atomic_store_n(&ssp->active_, DOMAIN_ACTIVE, __ATOMIC_RELAXED);
		return false;
	}
	/* Release: pairs with the exchange in srcu_activate() and with srcu_await_inactive(). */
	if (!__atomic_compare_exchange_n(&ssp->active_, &was_leaving, DOMAIN_INACTIVE, false,
		    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		return false;
	__atomic_fetch_add(&left, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&leaving, __ATOMIC_SEQ_CST))
		srcu_futex_wake(&left);
	return true;
}

/* When to look next at a domain whose readers, or barriers for it, are waited for. */
static uint64_t next_look(const struct srcu_struct *ssp, uint64_t now)
{
	uint64_t most = srcu_gp_hurried(ssp) ? PAUSE_HURRIED_NS : PAUSE_MAX_NS;

	if (srcu_barriers_stuck())
		return now + PAUSE_MAX_NS;
	return now + clamp_u64(PAUSE_MIN_NS, srcu_gp_waited(ssp, now) / 8, most);
}

/*
 * Take one domain as far as it goes; true when it is out of our hands.  look_ is
 * set before and after: a srcu_look_again() in between is not lost.
 */
static bool serve(struct srcu_struct *ssp, uint64_t now)
{
	uint64_t never = UINT64_MAX, look = never;

	__atomic_store_n(&ssp->look_, never, __ATOMIC_SEQ_CST);
	switch (srcu_callbacks_step(ssp)) {
	case STEP_READY:
		srcu_dispatch(ssp);
		return true;
	case STEP_IDLE:
		if (leave(ssp))
			return true;
		look = srcu_barriers_stuck() ? next_look(ssp, now) : now;
		break;
	case STEP_LOCKED:
		look = now + PAUSE_MIN_NS;
		break;
	case STEP_WAITING:
		look = next_look(ssp, now);
		break;
	case STEP_INVOKING: /* whoever is at it calls srcu_look_again() */
		break;
	}
	__atomic_compare_exchange_n(
		&ssp->look_, &never, look, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return false;
}

/* Serve the domains whose time has come; when to look next, UINT64_MAX: when rung for. */
static uint64_t serve_all(struct srcu_struct **link)
{
	uint64_t now = srcu_now_ns(), next = UINT64_MAX;

	while (*link) {
		struct srcu_struct *ssp = *link, *behind = ssp->next_;
		uint64_t look = __atomic_load_n(&ssp->look_, __ATOMIC_RELAXED);

		if (look <= now && serve(ssp, now)) {
			*link = behind;
			continue;
		}
		look = __atomic_load_n(&ssp->look_, __ATOMIC_RELAXED);
		next = min_u64(next, look);
		link = &ssp->next_;
	}
	return next;
}

static struct srcu_struct **end_of(struct srcu_struct **list)
{
	while (*list)
		list = &(*list)->next_;
	return list;
}

static void sleep_until(uint64_t next, uint32_t bell)
{
	uint64_t now = srcu_now_ns();

	if (next <= now)
		return;
	srcu_futex_wait(&doorbell, bell, next == UINT64_MAX ? UINT64_MAX : next - now);
	srcu_count_wakeup();
}

static void *gp_thread(void *name)
{
	struct srcu_struct *busy = NULL;

	pthread_setname_np(pthread_self(), name);
	for (;;) {
		uint32_t bell = __atomic_load_n(&doorbell, __ATOMIC_ACQUIRE);
		uint64_t next, tend, now;

		*end_of(&busy) = take_arrivals();
		next = serve_all(&busy);
		now = srcu_now_ns();
		tend = srcu_tend_invokers(now);
		sleep_until(min_u64(next, tend), bell);
	}
	return NULL;
}

int srcu_start_callbacks(void)
{
	sigset_t all, before;
	int error = 0;

	srcu_notice_fork();
	if (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		return 0;
	srcu_watch_exit();
	/* A handler that forks would leave the child with a thread that it has not. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	srcu_lock(&starting);
	if (!running) {
		error = srcu_start_thread(gp_thread, "srcu-gp");
		__atomic_store_n(&running, !error, __ATOMIC_RELEASE);
	}
	srcu_unlock(&starting);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/*
 * Must those who wait for grace periods run the domain's callbacks, because the
 * threads that should cannot be started?
 */
bool srcu_updaters_invoke(const struct srcu_struct *ssp)
{
	if (likely(__atomic_load_n(&running, __ATOMIC_ACQUIRE) && !srcu_invokers_refused()))
		return false;
	if ((domain_flags(ssp) & DOMAIN_CALLER) || !srcu_callbacks_count(ssp))
		return false;
	return srcu_start_callbacks() || srcu_invokers_refused();
}

/*
 * Without a thread, active domains are in arrivals, where nobody takes them from, or
 * with an invoker that forked in a callback, which will put them there: take this one
 * out.  Called with signals blocked: a child has arrivals of its own.
 */
static void withdraw(struct srcu_struct *ssp)
{
	struct srcu_struct *first, *next;

	srcu_lock(&starting);
	for (first = running ? NULL : take_arrivals(); first; first = next) {
		next = first->next_;
		if (first == ssp)
			__atomic_store_n(&ssp->active_, DOMAIN_INACTIVE, __ATOMIC_RELAXED);
		else
			push_arrival(first);
	}
	srcu_unlock(&starting);
}

/*
 * In the child of a fork: make the domain known to the thread that will be, if
 * it has callbacks, unless the calling thread is in one of them.  When the
 * calling thread was at the callbacks, under a handler that forked, there may be
 * some.
 */
void srcu_rejoin(struct srcu_struct *ssp)
{
	bool known = (domain_flags(ssp) & DOMAIN_CALLER) || srcu_serves(ssp);

	if (!known)
		__atomic_store_n(&ssp->active_, DOMAIN_INACTIVE, __ATOMIC_RELAXED);
	if (srcu_callbacks_step(ssp) != STEP_IDLE && !known)
		srcu_activate(ssp);
}

/* In the child of a fork, before any domain rejoins: there are no threads. */
void srcu_forget_threads(void)
{
	arrivals = NULL;
	__atomic_store_n(&running, false, __ATOMIC_RELAXED);
	srcu_forget_invokers();
}

/* Have the threads let go of a domain, without waiting for it; true when they have. */
static bool let_go(struct srcu_struct *ssp)
{
	bool inactive;
	sigset_t before;

	srcu_block_signals(&before);
	withdraw(ssp);
	inactive = __atomic_load_n(&ssp->active_, __ATOMIC_ACQUIRE) == DOMAIN_INACTIVE;
	if (!inactive) {
		if (srcu_undispatch(ssp))
			srcu_arrive(ssp); /* it may wait for invokers for ever */
		else
			srcu_look_again(ssp);
	}
	srcu_restore_signals(&before);
	return inactive;
}

/*
 * Wait until the threads have let go of a domain that has no callbacks left.  They may
 * be gone at any look: a handler may fork.  False: they cannot, since the barrier that
 * leave() makes is refused.
 */
bool srcu_await_inactive(struct srcu_struct *ssp)
{
	bool refused = false;

	if (domain_flags(ssp) & DOMAIN_CALLER)
		return true;
	__atomic_fetch_add(&leaving, 1, __ATOMIC_SEQ_CST);
	while (!refused) {
		uint32_t seen = __atomic_load_n(&left, __ATOMIC_SEQ_CST);

		if (let_go(ssp))
			break;
		srcu_futex_wait(&left, seen, PAUSE_MAX_NS);
		refused = srcu_barriers_stuck() &&
			  __atomic_load_n(&ssp->lists_, __ATOMIC_RELAXED) &&
			  !srcu_barrier_all_threads(ssp);
	}
	__atomic_fetch_sub(&leaving, 1, __ATOMIC_RELAXED);
	return !refused;
}
