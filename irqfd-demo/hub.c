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
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct hub_event {
	int fd;
	uint32_t handles; /* open ends; the last to go is the hang-up */
	uint32_t refs;    /* one for all handles, one for each who keeps it */
	struct hub_waiter *waiter;
	bool semaphore; /* constant */
	bool count_old; /* there may be a count that is older than the waiter */
};

DEFINE_STATIC_SRCU(hub_srcu);

struct hub_event *hub_open(unsigned int count, int flags)
{
	struct hub_event *event = zalloc(sizeof(*event));

	event->fd = eventfd(count, flags | EFD_NONBLOCK | EFD_CLOEXEC);
	if (event->fd < 0) {
		free(event);
		return NULL;
	}
	event->handles = 1;
	event->refs = 1;
	event->semaphore = flags & EFD_SEMAPHORE;
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

int hub_write(struct hub_event *event, uint64_t n)
{
	return write(event->fd, &n, sizeof(n)) == (ssize_t)sizeof(n) ? 0 : -errno;
}

/*
 * In the kernel write, wake-up and drain are one, under the eventfd's lock.  So an
 * event need not go through a count that is 0 before it and after it.  A count that
 * somebody else has written has a wake-up of its own on the way; the one that is
 * older than the waiter goes with the first event, and a semaphore may keep one.
 */
static bool can_take(const struct hub_event *event, const struct hub_waiter *waiter, uint64_t n)
{
	return waiter->take && n != UINT64_MAX && !event->semaphore &&
	       !__atomic_load_n(&event->count_old, __ATOMIC_RELAXED);
}

/*
 * I: who is to be told is found before the write.  One that finds the waiter is
 * waited for by hub_unhook(); one that does not writes after the drain (J), for
 * the waiter goes after it.
 */
int hub_signal(struct hub_event *event, uint64_t n)
{
	struct srcu_ctr *token = srcu_read_lock_fast(&hub_srcu);
	struct hub_waiter *waiter = srcu_dereference(event->waiter, &hub_srcu);
	int error = 0;

	if (waiter && can_take(event, waiter, n)) {
		waiter->take(waiter, n);
	} else {
		error = hub_write(event, n);
		if (!waiter) {
			/* K: either this finds who came meanwhile, or he finds the count. */
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			waiter = srcu_dereference(event->waiter, &hub_srcu);
		}
		if (waiter && !error)
			waiter->wake(waiter, n == 0);
	}
	srcu_read_unlock_fast(&hub_srcu, token);
	return error;
}

void hub_wake(struct hub_event *event)
{
	struct srcu_ctr *token = srcu_read_lock_fast(&hub_srcu);
	struct hub_waiter *waiter = srcu_dereference(event->waiter, &hub_srcu);

	if (waiter)
		waiter->wake(waiter, false);
	srcu_read_unlock_fast(&hub_srcu, token);
}

uint64_t hub_drain(struct hub_event *event)
{
	uint64_t n;

	__atomic_store_n(&event->count_old, false, __ATOMIC_RELAXED);
	return read(event->fd, &n, sizeof(n)) == (ssize_t)sizeof(n) ? n : 0;
}

uint64_t hub_count(const struct hub_event *event)
{
	char path[64], line[128];
	uint64_t count = 0;
	bool found = false;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", event->fd);
	info = fopen(path, "re");
	while (info && !found && fgets(line, sizeof(line), info))
		found = sscanf(line, "eventfd-count: %" SCNx64, &count) == 1;
	if (!found)
		die(errno, "cannot tell an eventfd's count");
	fclose(info);
	return count;
}

bool hub_ready(const struct hub_event *event)
{
	struct pollfd pollfd = {.fd = event->fd, .events = POLLIN};

	return poll(&pollfd, 1, 0) == 1;
}

int hub_hook(struct hub_event *event, struct hub_waiter *waiter)
{
	struct hub_waiter *none = NULL;

	__atomic_store_n(&event->count_old, true, __ATOMIC_RELAXED);
	/* Release: a caller finds the waiter as it was made. */
	if (!__atomic_compare_exchange_n(
		    &event->waiter, &none, waiter, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		return -EBUSY;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* K: the caller looks for a count next */
	hub_keep(event);
	return 0;
}

void hub_unhook(struct hub_event *event)
{
	hub_drain(event); /* J: see I */
	srcu_assign_pointer(event->waiter, NULL);
	synchronize_srcu(&hub_srcu);
	hub_drop(event);
}

int hub_end(void)
{
	return cleanup_srcu_struct(&hub_srcu);
}
