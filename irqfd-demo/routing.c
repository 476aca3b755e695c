/* SPDX-License-Identifier: MIT */
/*
 * The table of interrupt routes: whole tables replaced under SRCU.  Owns the
 * tables' memory.  Entries never change once their table is published.
 */
#include "counters.h"
#include "vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POISON 0xdd /* what a retired table is filled with */

struct route_table {
	uint64_t generation;
	size_t nr; /* gsis below it have an entry */
	struct route route[];
};

static bool entry_valid(const struct route_entry *entry)
{
	if (entry->gsi >= MAX_ROUTES)
		return false;
	switch (entry->route.type) {
	case ROUTE_MSI:
		return true; /* an absent CPU drops the message, as an absent APIC does */
	case ROUTE_IRQCHIP:
		return entry->route.dest < NR_PINS;
	default:
		return false;
	}
}

/* A table of the entries, or NULL when one is not valid. */
static struct route_table *table_build(const struct route_entry *entries, size_t nr)
{
	struct route_table *table;
	size_t nr_gsis = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!entry_valid(&entries[i]))
			return NULL;
		if (entries[i].gsi >= nr_gsis)
			nr_gsis = entries[i].gsi + 1;
	}
	table = zalloc(sizeof(*table) + nr_gsis * sizeof(table->route[0]));
	table->nr = nr_gsis;
	for (size_t i = 0; i < nr; i++) {
		struct route *route = &table->route[entries[i].gsi];

		if (route->type != ROUTE_NONE) {
			free(table);
			return NULL;
		}
		*route = entries[i].route;
	}
	return table;
}

/*
 * The retired table stays, poisoned, until the next one retires, so that a
 * reader who should be gone meets poison and not somebody else's memory.
 */
static void table_retire(struct vm *vm, struct route_table *table)
{
	if (table) {
		memset(table->route, POISON, table->nr * sizeof(table->route[0]));
		memset(&table->generation, POISON, sizeof(table->generation));
	}
	free(vm->retired);
	vm->retired = table;
}

static void table_set_generation(struct route_table *table, uint64_t generation)
{
	table->generation = generation;
	for (size_t i = 0; i < table->nr; i++)
		table->route[i].generation = generation;
}

int routing_set(struct vm *vm, const struct route_entry *entries, size_t nr)
{
	struct route_table *table = table_build(entries, nr), *old;

	if (!table)
		return -EINVAL;
	pthread_mutex_lock(&vm->update_lock);
	old = vm->table;
	table_set_generation(table, old ? old->generation + 1 : 1);
	srcu_assign_pointer(vm->table, table);
	irqfd_update_routes(vm);
	synchronize_srcu_expedited(&vm->irq_srcu);
	/*
	 * E: from here on a section that uses a route of an earlier generation is
	 * an error.  Pairs with F; what keeps the two apart is the grace period.
	 */
	__atomic_store_n(&vm->complete, table->generation, __ATOMIC_RELEASE);
	table_retire(vm, old);
	pthread_mutex_unlock(&vm->update_lock);
	count(updates);
	return 0;
}

struct route routing_get(struct vm *vm, unsigned int gsi)
{
	const struct route_table *table = srcu_dereference(vm->table, &vm->irq_srcu);

	if (!table || gsi >= table->nr)
		return (struct route){.type = ROUTE_NONE};
	return table->route[gsi];
}

void routing_check(struct vm *vm, unsigned int gsi, const struct route *route)
{
	uint64_t complete;

	if (route->type == ROUTE_NONE)
		return;
	/* F: after the route's use, so that an update which returned during it shows. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	complete = __atomic_load_n(&vm->complete, __ATOMIC_ACQUIRE);
	if (route->generation < complete || route->type > ROUTE_IRQCHIP) {
		count(stale);
		return;
	}
	if (!vm->route_valid(gsi, route))
		count(torn);
}

void routing_free(struct vm *vm)
{
	free(vm->retired);
	free(vm->table);
}
