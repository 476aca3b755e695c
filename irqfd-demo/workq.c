/* SPDX-License-Identifier: MIT */
/*
 * The work queue; workq.h says who may call what.  Submitters push on a stack
 * by compare-and-swap, the worker takes all of it at once and runs it oldest
 * first.  No one pops a single item, so an address may come back at any time.
 */
#include "workq.h"

#include "demo.h"

#include <errno.h>
#include <stddef.h>

bool workq_submit(struct workq *wq, struct work *work)
{
	struct work *head;

	/*
	 * C: who finds the flag set has its earlier writes seen by the run to
	 * come, because the worker's RMW (D) reads from this one.
	 */
	if (__atomic_exchange_n(&work->queued, 1, __ATOMIC_ACQ_REL))
		return false;
	head = __atomic_load_n(&wq->stack, __ATOMIC_RELAXED);
	do {
		__atomic_store_n(&work->next, head, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(
		&wq->stack, &head, work, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	/* The worker takes all: only who found the stack empty need wake it. */
	if (!head)
		sem_post(&wq->wanted);
	return true;
}

/* Everything queued, oldest first. */
static struct work *take_all(struct workq *wq)
{
	struct work *newest = __atomic_exchange_n(&wq->stack, NULL, __ATOMIC_ACQ_REL);
	struct work *oldest = NULL;

	while (newest) {
		struct work *next = __atomic_load_n(&newest->next, __ATOMIC_RELAXED);

		__atomic_store_n(&newest->next, oldest, __ATOMIC_RELAXED);
		oldest = newest;
		newest = next;
	}
	return oldest;
}

static void *worker_main(void *argument)
{
	struct workq *wq = argument;

	while (!wq->stopping) {
		struct work *work, *next;

		while (sem_wait(&wq->wanted) && errno == EINTR)
			;
		for (work = take_all(wq); work; work = next) {
			/* Once queued is clear the item may be pushed again, or be freed by run().
			 */
			next = __atomic_load_n(&work->next, __ATOMIC_RELAXED);
			__atomic_exchange_n(&work->queued, 0, __ATOMIC_ACQ_REL); /* D: see C */
			work->run(work);
		}
	}
	return NULL;
}

void workq_start(struct workq *wq)
{
	sem_init(&wq->wanted, 0, 0);
	wq->thread = thread_spawn(worker_main, wq, "worker");
}

struct marker {
	struct work work;
	struct workq *wq;
	sem_t reached;
};

static void marker_run(struct work *work)
{
	sem_post(&((struct marker *)work)->reached);
}

void workq_flush(struct workq *wq)
{
	struct marker marker = {.work.run = marker_run};

	sem_init(&marker.reached, 0, 0);
	workq_submit(wq, &marker.work);
	while (sem_wait(&marker.reached) && errno == EINTR)
		;
	sem_destroy(&marker.reached);
}

static void stop_run(struct work *work)
{
	((struct marker *)work)->wq->stopping = true;
}

void workq_stop(struct workq *wq)
{
	struct marker marker = {.work.run = stop_run, .wq = wq};

	workq_submit(wq, &marker.work);
	pthread_join(wq->thread, NULL);
	sem_destroy(&wq->wanted);
}
