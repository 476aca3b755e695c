/* SPDX-License-Identifier: MIT */
/*
 * Updates of one domain, beside a sleeper in another one, where a callback waits
 * for it all the time; and the same beside a sleeper that is no reader.
 */
#include <semaphore.h>

#include <srcu/srcu.h>

#include "bench/isolation.h"
#include "bench/reader.h"

static struct srcu_struct domain, other;

static struct {
	struct srcu_head head; /* first */
	uint64_t ns;
	sem_t invoked;
} call;

static struct srcu_head delayed;
static bool delayed_waits;

static int begin(void)
{
	int error = init_srcu_struct(&domain);

	if (error)
		return error;
	error = init_srcu_struct(&other);
	if (error)
		cleanup_srcu_struct(&domain);
	sem_init(&call.invoked, 0, 0);
	return error;
}

static void end(void)
{
	srcu_barrier(&domain);
	srcu_barrier(&other);
	cleanup_srcu_struct(&domain);
	cleanup_srcu_struct(&other);
}

static uint64_t time_synchronize_srcu(void)
{
	uint64_t began = now_ns();

	synchronize_srcu(&domain);
	return now_ns() - began;
}

static void note_time(struct srcu_head *head)
{
	(void)head;
	call.ns = now_ns();
	sem_post(&call.invoked);
}

static uint64_t time_call(void)
{
	uint64_t began = now_ns();

	call_srcu(&domain, &call.head, note_time);
	sem_wait(&call.invoked);
	return call.ns - began;
}

static void nothing(struct srcu_head *head)
{
	(void)head;
}

static uint64_t time_barrier(void)
{
	uint64_t began = now_ns();

	call_srcu(&domain, &call.head, nothing);
	srcu_barrier(&domain);
	return now_ns() - began;
}

static uint64_t time_poll(void)
{
	uint64_t began = now_ns(), cookie = start_poll_synchronize_srcu(&domain);

	while (!poll_state_synchronize_srcu(&domain, cookie))
		;
	return now_ns() - began;
}

/* Release: pairs with the acquire of whoever queues the head again. */
static void note_delayed(struct srcu_head *head)
{
	(void)head;
	__atomic_store_n(&delayed_waits, false, __ATOMIC_RELEASE);
}

static void sleep_in_section(void (*sleep)(void))
{
	int idx = srcu_read_lock(&other);

	if (!__atomic_exchange_n(&delayed_waits, true, __ATOMIC_ACQUIRE))
		call_srcu(&other, &delayed, note_delayed);
	sleep();
	srcu_read_unlock(&other, idx);
}

static void sleep_outside(void (*sleep)(void))
{
	sleep();
}

#define TIMES                                                                                  \
	{                                                                                      \
		[ISOLATION_SYNCHRONIZE] = time_synchronize_srcu, [ISOLATION_CALL] = time_call, \
		[ISOLATION_BARRIER] = time_barrier, [ISOLATION_POLL] = time_poll,              \
	}

const struct isolation_peer isolation_srcu = {
	.name = "srcu",
	.begin = begin,
	.end = end,
	.time = TIMES,
	.round = sleep_in_section,
};

const struct isolation_peer isolation_srcu_alone = {
	.name = "srcu_alone",
	.begin = begin,
	.end = end,
	.time = TIMES,
	.round = sleep_outside,
};
