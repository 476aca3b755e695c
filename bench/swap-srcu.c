/* SPDX-License-Identifier: MIT */
/*
 * Tables under SRCU, with both calls that wait for readers.  The reader who
 * sleeps has a domain of his own.
 */
#include "bench/swap-table.h"
#include "bench/swap.h"

DEFINE_STATIC_SRCU(domain);
DEFINE_STATIC_SRCU(sleepers_domain);

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
		struct srcu_ctr *token = srcu_read_lock_fast(&domain);

		bad += !swap_deliver(srcu_dereference(table, &domain));
		srcu_read_unlock_fast(&domain, token);
	}
	return bad;
}

static void swap_normal(size_t nr)
{
	struct swap_table *old = table;

	srcu_assign_pointer(table, swap_table_new(nr));
	synchronize_srcu(&domain);
	swap_table_free(old);
}

static void swap_expedited(size_t nr)
{
	struct swap_table *old = table;

	srcu_assign_pointer(table, swap_table_new(nr));
	synchronize_srcu_expedited(&domain);
	swap_table_free(old);
}

static void sleep_in_section(void (*sleep)(void))
{
	struct srcu_ctr *token = srcu_read_lock_fast(&sleepers_domain);

	sleep();
	srcu_read_unlock_fast(&sleepers_domain, token);
}

const struct swap_peer swap_srcu = {
	.name = "srcu",
	.begin = begin,
	.end = end,
	.swap = swap_normal,
	.inject = inject,
	.round = sleep_in_section,
};

const struct swap_peer swap_srcu_expedited = {
	.name = "srcu_expedited",
	.begin = begin,
	.end = end,
	.swap = swap_expedited,
	.inject = inject,
	.round = sleep_in_section,
};
