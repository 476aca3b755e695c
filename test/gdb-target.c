/* SPDX-License-Identifier: MIT */
/*
 * A program for test/gdb.sh to look at: domains with readers and callbacks that are
 * known, and a function to stop in.
 */
#include <pthread.h>
#include <srcu/srcu.h>
#include <stdlib.h>

DEFINE_SRCU(plain);
static struct srcu_struct watched, busy;
static struct srcu_head heads[6];
static pthread_barrier_t inside;

void stop_here(void);

__attribute__((noinline)) void stop_here(void)
{
	__asm__ __volatile__("" ::: "memory");
}

static void free_item(struct srcu_head *head)
{
	(void)head;
}

static void free_other(struct srcu_head *head)
{
	*head = heads[0];
}

__attribute__((noinline)) static int hold_section(void)
{
	int idx = srcu_read_lock(&watched);

	__asm__ __volatile__("" ::: "memory");
	return idx;
}

static void *reader(void *arg)
{
	(void)arg;
	srcu_read_unlock(&watched, srcu_read_lock(&watched));
	hold_section();
	pthread_barrier_wait(&inside);
	pthread_barrier_wait(&inside); /* for ever */
	return NULL;
}

static void queue(unsigned int from, unsigned int to, void (*func)(struct srcu_head *))
{
	for (unsigned int i = from; i < to; i++)
		if (call_srcu(&busy, &heads[i], func))
			exit(1);
}

int main(void)
{
	struct srcu_options debug = {.name = "watched", .debug = true};
	struct srcu_options by_caller = {.name = "busy", .callbacks = SRCU_CALLBACKS_CALLER};
	pthread_t thread;

	if (init_srcu_struct_with(&watched, &debug) || init_srcu_struct_with(&busy, &by_caller) ||
		pthread_barrier_init(&inside, NULL, 2) ||
		pthread_create(&thread, NULL, reader, NULL))
		return 1;
	pthread_barrier_wait(&inside);
	for (int i = 0; i < 3; i++)
		(void)srcu_read_lock(&plain);
	/* One is invoked; a section keeps three for a grace period, and two are just queued. */
	queue(0, 1, free_item);
	while (!srcu_run_callbacks(&busy, 1))
		;
	(void)srcu_read_lock(&busy);
	queue(1, 4, free_item);
	srcu_run_callbacks(&busy, 1);
	queue(4, 6, free_other);
	stop_here();
	return 0;
}
