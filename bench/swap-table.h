/* SPDX-License-Identifier: MIT */
/*
 * The table that peers replace, and an injection by it, for their C files alone.
 */
#ifndef BENCH_SWAP_TABLE_H
#define BENCH_SWAP_TABLE_H

#include <stdlib.h>
#include <string.h>

#include "irqfd-demo/vm.h"

struct swap_table {
	size_t nr;
	struct route route[];
};

/* Where all routes lead. */
extern struct lapic swap_lapic;

#define SWAP_VECTOR 0x41

static inline struct swap_table *swap_table_new(size_t nr)
{
	struct swap_table *table = malloc(sizeof(*table) + nr * sizeof(table->route[0]));

	if (!table)
		die(0, "no memory");
	table->nr = nr;
	for (size_t i = 0; i < nr; i++)
		table->route[i] = (struct route){.type = ROUTE_MSI, .vector = SWAP_VECTOR};
	return table;
}

/* The routes go bad first: whoever still reads them shows. */
static inline void swap_table_free(struct swap_table *table)
{
	for (size_t i = 0; i < table->nr; i++)
		__atomic_store_n(&table->route[i].type, ROUTE_NONE, __ATOMIC_RELAXED);
	free(table);
}

/* Inject by the first route and take the vector. */
static inline bool swap_deliver(const struct swap_table *table)
{
	const struct route *route = &table->route[0];

	if (__atomic_load_n(&route->type, __ATOMIC_RELAXED) != ROUTE_MSI)
		return false;
	lapic_accept(&swap_lapic, route->vector, false);
	__atomic_exchange_n(&swap_lapic.irr[SWAP_VECTOR / 64], 0, __ATOMIC_ACQUIRE);
	return true;
}

#endif /* BENCH_SWAP_TABLE_H */
