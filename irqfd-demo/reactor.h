/* SPDX-License-Identifier: MIT */
/*
 * The reactor: a thread that polls eventfds which others write, and wakes their
 * waiters, as an event loop does in a program whose devices are elsewhere.
 */
#ifndef REACTOR_H
#define REACTOR_H

#include "hub.h"

#include <pthread.h>
#include <stdint.h>

struct reactor_source {
	struct hub_event *event; /* a handle of the reactor's own, or NULL */
	int hang_up;             /* a pipe whose end is the event's last close, or -1 */
};

struct reactor {
	int epoll;
	int stop; /* an eventfd */
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t room;
	struct reactor_source *sources;
	unsigned int max_sources;
};

void reactor_init(struct reactor *reactor, unsigned int max_sources);

/*
 * The reactor closes the handle and, when it is not -1, @hang_up.  Waits for a
 * source to hang up when there are @max_sources already.
 */
void reactor_add(struct reactor *reactor, struct hub_event *event, int hang_up);

void reactor_start(struct reactor *reactor);

/* Wake the waiters of all that was written before the call, and end. */
void reactor_stop(struct reactor *reactor);

#endif /* REACTOR_H */
