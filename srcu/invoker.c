/* SPDX-License-Identifier: MIT */
/*
 * The threads that run callbacks, for all domains, so that a callback that
 * blocks delays its own domain only.  There are few as long as callbacks return
 * soon, more while they block, and one, asleep, when there is nothing to do.
 */
#include <pthread.h>

#include "internal.h"

#define FEW              4
#define IDLE_NS          1000000000u
#define PATIENCE_NS      1000000u
#define AFTER_REFUSAL_NS 10000000u

/* Domains with callbacks that are ready, and who there is to take them. */
static struct {
	uint32_t lock;
	uint32_t work; /* changes when a domain is queued; invokers sleep on it */
	struct srcu_struct *first;
	struct srcu_struct **last;
	unsigned int queued;
	unsigned int threads;
	unsigned int idle; /* asleep, or on their way */
	uint64_t taken;    /* domains, ever */
	uint64_t tend;     /* when to see whether there are enough invokers */
	bool refused;      /* domains wait, and the latest thread could not be started */
} pool = {.last = &pool.first};

/* The domain whose callbacks this thread, an invoker, invokes. */
static __thread const struct srcu_struct *serving __attribute__((tls_model("initial-exec")));

bool srcu_serves(const struct srcu_struct *ssp)
{
	return serving == ssp;
}

/* In the child of a fork there are no invokers, but for one that made it. */
void srcu_forget_invokers(void)
{
	pool.lock = 0;
	pool.first = NULL;
	pool.last = &pool.first;
	pool.queued = 0;
	pool.threads = serving ? 1 : 0;
	pool.idle = 0;
	pool.refused = false;
}

/* Under the lock. */
static struct srcu_struct *dequeue(void)
{
	struct srcu_struct *ssp = pool.first;

	if (ssp) {
		pool.first = ssp->next_;
		if (!pool.first)
			pool.last = &pool.first;
		pool.queued--;
		pool.taken++;
	}
	if (!pool.queued)
		__atomic_store_n(&pool.refused, false, __ATOMIC_RELAXED);
	return ssp;
}

/*
 * Under the lock: sleep until there is work; the last idle one for as long as it
 * takes, the others for a while.  False: this one has had its time.
 */
static bool wait_for_work(void)
{
	uint32_t work = pool.work;
	bool last = pool.idle == 1;

	srcu_unlock(&pool.lock);
	srcu_futex_wait(&pool.work, work, last ? UINT64_MAX : IDLE_NS);
	srcu_count_wakeup();
	srcu_lock(&pool.lock);
	return last || pool.idle == 1 || pool.work != work;
}

/* A domain to serve; NULL: this thread is not needed any more. */
static struct srcu_struct *take(void)
{
	struct srcu_struct *ssp;
	bool stay = true;

	srcu_lock(&pool.lock);
	while (!(ssp = dequeue()) && stay)
		stay = wait_for_work();
	pool.idle--;
	if (!ssp)
		pool.threads--;
	srcu_unlock(&pool.lock);
	return ssp;
}

static void *invoker(void *name)
{
	struct srcu_struct *ssp;

	pthread_setname_np(pthread_self(), name);
	while ((ssp = take())) {
		serving = ssp;
		srcu_invoke(ssp, UINT64_MAX);
		serving = NULL;
		srcu_lock(&pool.lock);
		pool.idle++;
		srcu_unlock(&pool.lock);
		srcu_arrive(ssp);
	}
	return NULL;
}

/* Start @more invokers.  Called by the grace-period thread only. */
static void add_invokers(unsigned int more)
{
	while (more--) {
		bool refused;

		srcu_lock(&pool.lock);
		pool.threads++;
		pool.idle++;
		srcu_unlock(&pool.lock);
		refused = srcu_start_thread(invoker, "srcu-invoker");
		srcu_lock(&pool.lock);
		if (refused) {
			pool.threads--;
			pool.idle--;
		}
		__atomic_store_n(&pool.refused, refused && pool.queued, __ATOMIC_RELAXED);
		srcu_unlock(&pool.lock);
		if (refused)
			return; /* the next look tries again; until then updaters invoke */
	}
}

bool srcu_invokers_refused(void)
{
	return __atomic_load_n(&pool.refused, __ATOMIC_RELAXED);
}

/* Hand a domain to the invokers. */
void srcu_dispatch(struct srcu_struct *ssp)
{
	bool add;

	ssp->next_ = NULL;
	srcu_lock(&pool.lock);
	*pool.last = ssp;
	pool.last = &ssp->next_;
	pool.queued++;
	add = pool.idle < pool.queued && pool.threads < FEW;
	pool.work++;
	srcu_unlock(&pool.lock);
	srcu_futex_wake_one(&pool.work);
	if (add)
		add_invokers(1);
}

/*
 * How many invokers to add: domains still wait although nobody took one for a
 * while, so that those who could do not come back.  Then there will be twice as
 * many.
 */
static unsigned int missing(uint64_t now)
{
	static uint64_t taken;
	unsigned int most = pool.threads ? pool.threads : FEW;

	if (taken != pool.taken || !pool.first) {
		taken = pool.taken;
		pool.tend = now + PATIENCE_NS;
	}
	if (now < pool.tend)
		return 0;
	if (pool.idle >= pool.queued) {
		pool.tend = now + PATIENCE_NS;
		return 0;
	}
	pool.tend = now + (pool.refused ? AFTER_REFUSAL_NS : PATIENCE_NS);
	return (unsigned int)min_u64(pool.queued - pool.idle, most);
}

/* Add invokers where they are missing; when to look again, UINT64_MAX: no need to. */
uint64_t srcu_tend_invokers(uint64_t now)
{
	unsigned int more;
	uint64_t again;

	srcu_lock(&pool.lock);
	more = missing(now);
	again = pool.first ? pool.tend : UINT64_MAX;
	srcu_unlock(&pool.lock);
	add_invokers(more);
	return again;
}

/* Take a domain back that no invoker has taken yet; false when one has. */
bool srcu_undispatch(struct srcu_struct *ssp)
{
	struct srcu_struct **link;
	bool found;

	srcu_lock(&pool.lock);
	for (link = &pool.first; *link && *link != ssp; link = &(*link)->next_)
		;
	found = *link;
	if (found) {
		*link = ssp->next_;
		if (!*link)
			pool.last = link;
		pool.queued--;
		if (!pool.queued)
			__atomic_store_n(&pool.refused, false, __ATOMIC_RELAXED);
	}
	srcu_unlock(&pool.lock);
	return found;
}
