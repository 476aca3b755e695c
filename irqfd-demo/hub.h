/* SPDX-License-Identifier: MIT */
/*
 * The eventfd hub.  In the kernel an eventfd calls its waiter from within the
 * write, and tells it of the last close.  User space gets neither, so the hub
 * owns each eventfd: a signal through the hub writes the real eventfd and runs
 * the waiter in the caller, and the hub counts the handles.  Where the waiter would
 * drain the eventfd at once, nobody could tell whether it was written, and the two
 * system calls are left out.
 *
 * Another process writes the descriptor itself; whoever polls it on that
 * process's behalf calls hub_wake().
 */
#ifndef HUB_H
#define HUB_H

#include <stdbool.h>
#include <stdint.h>

struct hub_event;

/* Who is called.  All calls run in a read-side section that hub_unhook() waits for. */
struct hub_waiter {
	/*
	 * An event of @n, which the eventfd's count has no part in.  Any context,
	 * handlers included.  NULL: every event is written, and wakes.
	 */
	void (*take)(struct hub_waiter *waiter, uint64_t n);
	/*
	 * Any context, handlers included.  @zero: the write was of 0, an event with
	 * nothing to drain.
	 */
	void (*wake)(struct hub_waiter *waiter, bool zero);
	void (*hup)(struct hub_waiter *waiter); /* the last handle is gone; may block */
};

/*
 * A new eventfd, with one handle; EFD_SEMAPHORE is the one flag to choose.  NULL
 * with errno set when there is none to be had.
 */
struct hub_event *hub_open(unsigned int count, int flags);

/* One more handle for the same eventfd, and one less.  Not in a handler. */
struct hub_event *hub_dup(struct hub_event *event);
void hub_close(struct hub_event *event);

/* Keep the eventfd without being a handle, so beyond its last close; and end that. */
void hub_keep(struct hub_event *event);
void hub_drop(struct hub_event *event);

/* The descriptor, for poll and for other processes. */
int hub_fd(const struct hub_event *event);

/*
 * Write @n to the eventfd, no more; also write and wake the waiter, or let it take
 * @n.  0, or a negative errno as of write(); nobody is woken then.  Any context.
 */
int hub_write(struct hub_event *event, uint64_t n);
int hub_signal(struct hub_event *event, uint64_t n);

/* Wake the waiter for a write that did not come through hub_signal().  Any context. */
void hub_wake(struct hub_event *event);

/* Read the eventfd: its count or with EFD_SEMAPHORE 1; 0 when there is nothing.  Any context. */
uint64_t hub_drain(struct hub_event *event);

/* Its count, which stays and wakes nobody; dies when the system does not tell. */
uint64_t hub_count(const struct hub_event *event);

/* Would poll() find it readable? */
bool hub_ready(const struct hub_event *event);

/* Become the event's one waiter; -EBUSY when it has one.  Keeps the event until unhooked. */
int hub_hook(struct hub_event *event, struct hub_waiter *waiter);

/*
 * End that, draining the eventfd.  On return no call is under way and none will
 * come.  The waiter may be called for an event that has been drained here.  Blocks.
 */
void hub_unhook(struct hub_event *event);

/* At the end of the program: 0 when no call is under way, else negative errno. */
int hub_end(void);

#endif /* HUB_H */
