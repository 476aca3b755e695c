/* SPDX-License-Identifier: MIT */
/*
 * Level-triggered devices; level.h says how they and the CPUs take turns.
 */
#include "level.h"

#include "counters.h"

#include <errno.h>
#include <poll.h>

static struct hub_event *open_event(const struct level *level)
{
	struct hub_event *event = hub_open(0, 0);

	if (!event)
		die(errno, "cannot make an eventfd for source %u", level->gsi);
	return event;
}

void level_plug(struct level *level)
{
	int error;

	level->event = open_event(level);
	level->served = open_event(level);
	error = irqfd_assign(level->vm, level->event, level->gsi, level->served, PATH_LEVEL);
	if (error)
		die(-error, "cannot bind source %u", level->gsi);
}

/* A line that is up stays up: only its fall and another rise make an interrupt. */
static void raise_line(struct level *level)
{
	int error;

	if (level->raised)
		return;
	level->raised = true;
	count(path[PATH_LEVEL].injected);
	error = hub_signal(level->event, 1);
	if (error)
		die(-error, "cannot signal source %u", level->gsi);
}

/* The line has fallen, whether or not the CPU saw what came last. */
static void line_fell(struct level *level)
{
	hub_drain(level->served);
	level->raised = false;
	if (mailbox_lost(level->mailbox))
		raise_line(level);
}

/* Do what services ask for until @end. */
static void attend(struct level *level, uint64_t end)
{
	struct pollfd served = {.fd = hub_fd(level->served), .events = POLLIN};
	uint64_t now;

	while ((now = now_ns()) < end) {
		struct timespec rest = {.tv_nsec = (long)(end - now)};

		if (ppoll(&served, 1, &rest, NULL) == 1)
			line_fell(level);
	}
}

static void *level_main(void *argument)
{
	struct level *level = argument;

	while (!__atomic_load_n(&level->stopping, __ATOMIC_ACQUIRE)) {
		for (unsigned int n = pace_burst(&level->pace); n; n--) {
			mailbox_raise(level->mailbox);
			raise_line(level);
		}
		attend(level, now_ns() + (uint64_t)pace_pause(&level->pace).tv_nsec);
	}
	return NULL;
}

void level_start(struct level *level)
{
	level->thread = thread_spawn(level_main, level, "level %u", level->gsi);
}

void level_stop(struct level *level)
{
	__atomic_store_n(&level->stopping, 1, __ATOMIC_RELEASE);
	pthread_join(level->thread, NULL);
}

void level_finish(struct level *level)
{
	if (hub_ready(level->served))
		line_fell(level);
}

void level_unplug(struct level *level)
{
	irqfd_deassign(level->vm, level->event, level->gsi);
	hub_close(level->event);
	hub_close(level->served);
}
