/* SPDX-License-Identifier: MIT */
/*
 * The eventfd hub; hub.h says what it is for.  Owns the eventfds and a domain
 * that keeps a waiter alive while it is being called.  The domain is static:
 * its first reader may be in a signal handler.
 */
#include "hub.h"

#include "demo.h"

#include <srcu/srcu.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct hub_event {
	int fd;
	uint32_t handles; /* open ends; the last to go is the hang-up */
	uint32_t refs;    /* one for all handles, one for each who keeps it */
	struct hub_waiter *waiter;
};

DEFINE_STATIC_SRCU(hub_srcu);

struct hub_event *hub_open(void)
{
	struct hub_event *event = zalloc(sizeof(*event));

	event->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (event->fd < 0) {
		free(event);
		return NULL;
	}
	event->handles = 1;
	event->refs = 1;
	return event;
}

void hub_keep(struct hub_event *event)
{
	__atomic_fetch_add(&event->refs, 1, __ATOMIC_RELAXED);
}

/* Release what this user did before acquire what the others did, then free. */
void hub_drop(struct hub_event *event)
{
	if (__atomic_sub_fetch(&event->refs, 1, __ATOMIC_ACQ_REL))
		return;
	close(event->fd);
	free(event);
}

struct hub_event *hub_dup(struct hub_event *event)
{
	__atomic_fetch_add(&event->handles, 1, __ATOMIC_RELAXED);
	return event;
}

void hub_close(struct hub_event *event)
{
	struct hub_waiter *waiter;
	struct srcu_ctr *token;

	if (__atomic_sub_fetch(&event->handles, 1, __ATOMIC_ACQ_REL))
		return;
	token = srcu_read_lock_fast(&hub_srcu);
	waiter = srcu_dereference(event->waiter, &hub_srcu);
	if (waiter)
		waiter->hup(waiter);
	srcu_read_unlock_fast(&hub_srcu, token);
	hub_drop(event);
}

int hub_fd(const struct hub_event *event)
{
	return event->fd;
}

void hub_write(struct hub_event *event, uint64_t n)
{
	/* The counter is drained at each wake-up and never near its limit. */
	if (write(event->fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		abort();
}

void hub_signal(struct hub_event *event, uint64_t n)
{
	hub_write(event, n);
	hub_wake(event);
}

void hub_wake(struct hub_event *event)
{
	struct srcu_ctr *token = srcu_read_lock_fast(&hub_srcu);
	struct hub_waiter *waiter = srcu_dereference(event->waiter, &hub_srcu);

	if (waiter)
		waiter->wake(waiter);
	srcu_read_unlock_fast(&hub_srcu, token);
}

uint64_t hub_drain(struct hub_event *event)
{
	uint64_t n;

	return read(event->fd, &n, sizeof(n)) == (ssize_t)sizeof(n) ? n : 0;
}

int hub_hook(struct hub_event *event, struct hub_waiter *waiter)
{
	struct hub_waiter *none = NULL;

	/* Release: a caller finds the waiter as it was made. */
	if (!__atomic_compare_exchange_n(
		    &event->waiter, &none, waiter, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		return -EBUSY;
	hub_keep(event);
	return 0;
}

void hub_unhook(struct hub_event *event)
{
	SRCU_INIT_POINTER(event->waiter, NULL);
	synchronize_srcu(&hub_srcu);
	hub_drop(event);
}

int hub_end(void)
{
	return cleanup_srcu_struct(&hub_srcu);
}
