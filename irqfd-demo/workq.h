/* SPDX-License-Identifier: MIT */
/*
 * A work queue: one thread that runs what handlers must not.  Submission takes
 * no lock and may come from a handler that interrupted another submission.
 */
#ifndef WORKQ_H
#define WORKQ_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

struct work {
	void (*run)(struct work *work);
	struct work *next;
	uint32_t queued;
};

struct workq {
	struct work *stack; /* newest first */
	sem_t wanted;       /* one post for each time the stack ceased to be empty */
	pthread_t thread;
	bool stopping; /* the worker's own */
};

void workq_start(struct workq *wq);

/* Queue @work unless it is queued already; false then.  Any context. */
bool workq_submit(struct workq *wq, struct work *work);

/* Wait until what was queued at the call has run.  Not in a handler, not on the worker. */
void workq_flush(struct workq *wq);

/* Run what is queued, and end the thread. */
void workq_stop(struct workq *wq);

#endif /* WORKQ_H */
