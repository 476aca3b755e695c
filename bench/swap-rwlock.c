/* SPDX-License-Identifier: MIT */
/*
 * Tables under a pthread rwlock.  The reader who sleeps has no part in it.
 */
#include <pthread.h>

#include "bench/swap-table.h"
#include "bench/swap.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct swap_table *table;

static void begin(size_t nr)
{
	table = swap_table_new(nr);
}

static void end(void)
{
	free(table);
}

static unsigned long inject(long n)
{
	unsigned long bad = 0;

	while (n--) {
		pthread_rwlock_rdlock(&lock);
		bad += !swap_deliver(table);
		pthread_rwlock_unlock(&lock);
	}
	return bad;
}

static void swap(size_t nr)
{
	struct swap_table *new = swap_table_new(nr), *old;

	pthread_rwlock_wrlock(&lock);
	old = table;
	table = new;
	pthread_rwlock_unlock(&lock);
	swap_table_free(old);
}

static void sleep_outside(void (*sleep)(void))
{
	sleep();
}

const struct swap_peer swap_rwlock = {
	.name = "rwlock",
	.begin = begin,
	.end = end,
	.swap = swap,
	.inject = inject,
	.round = sleep_outside,
};
