/* SPDX-License-Identifier: MIT */
/*
 * Callbacks of a domain whose callbacks the library's threads invoke.
 */
#include <errno.h>
#include <stdlib.h>

#include <srcu/srcu.h>

#include "bench/callbacks.h"

static struct srcu_struct domain;
static struct srcu_head *heads;
static int section;

static int begin(size_t nr)
{
	int error;

	heads = callbacks_heads(nr, sizeof(*heads));
	if (!heads)
		return -ENOMEM;
	error = init_srcu_struct(&domain);
	if (error)
		free(heads);
	return error;
}

static void end(void)
{
	cleanup_srcu_struct(&domain);
	free(heads);
}

static void enter(void)
{
	section = srcu_read_lock(&domain);
}

static void leave(void)
{
	srcu_read_unlock(&domain, section);
}

static void nothing(struct srcu_head *head)
{
	(void)head;
}

static int enqueue(size_t nr)
{
	int error = 0;

	for (size_t i = 0; i < nr; i++)
		error |= call_srcu(&domain, &heads[i], nothing);
	return error;
}

static void count(struct srcu_head *head)
{
	(void)head;
	callbacks_count();
}

static int enqueue_counted(size_t i)
{
	return call_srcu(&domain, &heads[i], count);
}

static void barrier(void)
{
	srcu_barrier(&domain);
}

const struct callback_peer callbacks_srcu = {
	.name = "srcu",
	.enqueue_name = "call_srcu",
	.begin = begin,
	.end = end,
	.enter = enter,
	.leave = leave,
	.enqueue = enqueue,
	.enqueue_counted = enqueue_counted,
	.barrier = barrier,
};
