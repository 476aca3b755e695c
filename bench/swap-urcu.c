/* SPDX-License-Identifier: MIT */
/*
 * Tables under liburcu's memb flavor, which has one domain: the reader who sleeps
 * is in it.
 */
#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>

#include "bench/swap-table.h"
#include "bench/swap.h"

static struct swap_table *table;

static void enter(void)
{
	urcu_memb_register_thread();
}

static void leave(void)
{
	urcu_memb_unregister_thread();
}

static void begin(size_t nr)
{
	enter();
	table = swap_table_new(nr);
}

static void end(void)
{
	free(table);
	leave();
}

static unsigned long inject(long n)
{
	unsigned long bad = 0;

	while (n--) {
		urcu_memb_read_lock();
		bad += !swap_deliver(rcu_dereference(table));
		urcu_memb_read_unlock();
	}
	return bad;
}

static void swap(size_t nr)
{
	struct swap_table *old = table;

	rcu_assign_pointer(table, swap_table_new(nr));
	urcu_memb_synchronize_rcu();
	swap_table_free(old);
}

static void sleep_in_section(void (*sleep)(void))
{
	urcu_memb_read_lock();
	sleep();
	urcu_memb_read_unlock();
}

const struct swap_peer swap_urcu_memb = {
	.name = "urcu_memb",
	.begin = begin,
	.end = end,
	.enter = enter,
	.leave = leave,
	.swap = swap,
	.inject = inject,
	.round = sleep_in_section,
};
