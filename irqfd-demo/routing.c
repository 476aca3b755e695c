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

/* The entries of a gsi lie together: those of @gsi begin at route[first[gsi]]. */
struct route_table {
	uint64_t generation;
	size_t nr_gsis; /* gsis below it may have entries */
	size_t nr;
	uint32_t *first;          /* nr_gsis + 1 */
	int32_t pin_gsi[NR_PINS]; /* of the IOAPIC: the gsi that leads there, or -1 */
	struct route route[];
};

static bool chip_entry_valid(struct vm *vm, const struct route *route)
{
	if (vm->irqchip != IRQCHIP_FULL)
		return false;
	if (route->chip == CHIP_IOAPIC)
		return route->pin < NR_PINS;
	return route->chip < NR_PICS && route->pin < NR_PIC_PINS;
}

static bool entry_valid(struct vm *vm, const struct route_entry *entry)
{
	if (entry->gsi >= MAX_ROUTES)
		return false;
	switch (entry->route.type) {
	case ROUTE_MSI:
		/* An absent CPU drops the message, as an absent APIC does. */
		return !(entry->flags & ~ROUTE_MSI_DEVID);
	case ROUTE_CHIP:
		return entry->flags == 0 && chip_entry_valid(vm, &entry->route);
	default:
		return false;
	}
}

/* A gsi leads to one MSI, or to one pin of each of several chips. */
static bool may_share(const struct route *a, const struct route *b)
{
	return a->type == ROUTE_CHIP && b->type == ROUTE_CHIP && a->chip != b->chip;
}

/* Put @entry behind those that its gsi has already, from *@end on. */
static bool table_add(struct route_table *table, uint32_t *end, const struct route_entry *entry)
{
	for (uint32_t i = table->first[entry->gsi]; i < *end; i++)
		if (!may_share(&table->route[i], &entry->route))
			return false;
	table->route[(*end)++] = entry->route;
	if (entry->route.type == ROUTE_CHIP && entry->route.chip == CHIP_IOAPIC)
		table->pin_gsi[entry->route.pin] = (int32_t)entry->gsi;
	return true;
}

static bool table_fill(struct route_table *table, const struct route_entry *entries, size_t nr)
{
	uint32_t *end = zalloc((table->nr_gsis + 1) * sizeof(end[0]));
	bool good = true;

	for (size_t i = 0; i < nr; i++)
		table->first[entries[i].gsi + 1]++;
	for (size_t gsi = 0; gsi < table->nr_gsis; gsi++)
		table->first[gsi + 1] += table->first[gsi];
	memcpy(end, table->first, table->nr_gsis * sizeof(end[0]));
	for (size_t i = 0; i < nr && good; i++)
		good = table_add(table, &end[entries[i].gsi], &entries[i]);
	free(end);
	return good;
}

static void table_free(struct route_table *table)
{
	if (table)
		free(table->first);
	free(table);
}

/* A table of the entries, or NULL when they are not valid. */
static struct route_table *table_build(struct vm *vm, const struct route_entry *entries, size_t nr)
{
	struct route_table *table;
	size_t nr_gsis = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!entry_valid(vm, &entries[i]))
			return NULL;
		if (entries[i].gsi >= nr_gsis)
			nr_gsis = entries[i].gsi + 1;
	}
	table = zalloc(sizeof(*table) + nr * sizeof(table->route[0]));
	table->nr_gsis = nr_gsis;
	table->nr = nr;
	table->first = zalloc((nr_gsis + 1) * sizeof(table->first[0]));
	memset(table->pin_gsi, -1, sizeof(table->pin_gsi));
	if (!table_fill(table, entries, nr)) {
		table_free(table);
		return NULL;
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
	table_free(vm->retired);
	vm->retired = table;
}

static void table_set_generation(struct route_table *table, uint64_t generation)
{
	table->generation = generation;
	for (size_t i = 0; i < table->nr; i++)
		table->route[i].generation = generation;
}

void routing_set_default(struct vm *vm)
{
	struct route_entry entries[NR_PICS * NR_PIC_PINS + NR_PINS];
	size_t nr = 0;

	for (uint32_t gsi = 0; gsi < NR_PINS; gsi++) {
		entries[nr++] = (struct route_entry){
			.gsi = gsi, .route = {.type = ROUTE_CHIP, .chip = CHIP_IOAPIC, .pin = gsi}};
		if (gsi >= NR_PICS * NR_PIC_PINS)
			continue;
		entries[nr++] = (struct route_entry){.gsi = gsi,
			.route = {.type = ROUTE_CHIP,
				.chip = gsi / NR_PIC_PINS,
				.pin = gsi % NR_PIC_PINS}};
	}
	/* Its generation is 0: what a program sets begins with 1. */
	srcu_assign_pointer(vm->table, table_build(vm, entries, nr));
}

/* Wait until no delivery has a route of an earlier table. */
static void wait_for_readers(struct vm *vm)
{
	if (vm->switches.no_grace_period)
		return;
	vm->wait(&vm->irq_srcu);
	if (vm->switches.domain_per_irqfd && !vm->switches.one_domain_waited)
		irqfd_wait_for_readers(vm);
}

int routing_set(struct vm *vm, const struct route_entry *entries, size_t nr)
{
	struct route_table *table = table_build(vm, entries, nr), *old;

	if (!table)
		return -EINVAL;
	pthread_mutex_lock(&vm->update_lock);
	old = vm->table;
	table_set_generation(table, old ? old->generation + 1 : 1);
	srcu_assign_pointer(vm->table, table);
	irqfd_update_routes(vm);
	wait_for_readers(vm);
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

const struct route *routing_find(struct vm *vm, unsigned int gsi, unsigned int *nr)
{
	const struct route_table *table = srcu_dereference(vm->table, &vm->irq_srcu);

	*nr = 0;
	if (!table || gsi >= table->nr_gsis)
		return NULL;
	*nr = table->first[gsi + 1] - table->first[gsi];
	return &table->route[table->first[gsi]];
}

unsigned int routing_get(struct vm *vm, unsigned int gsi, struct route routes[NR_CHIPS])
{
	unsigned int nr;
	const struct route *entry = routing_find(vm, gsi, &nr);

	for (unsigned int i = 0; i < nr; i++)
		routes[i] = entry[i];
	return nr;
}

bool routing_pin_gsi(struct vm *vm, unsigned int pin, unsigned int *gsi)
{
	const struct route_table *table = srcu_dereference(vm->table, &vm->irq_srcu);

	if (!table || table->pin_gsi[pin] < 0)
		return false;
	*gsi = (unsigned int)table->pin_gsi[pin];
	return true;
}

void routing_check(struct vm *vm, unsigned int gsi, const struct route *route)
{
	uint64_t complete;

	if (route->type == ROUTE_NONE || !vm->route_valid)
		return;
	/* F: after the route's use, so that an update which returned during it shows. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	complete = __atomic_load_n(&vm->complete, __ATOMIC_ACQUIRE);
	if (route->generation < complete || route->type > ROUTE_MSI) {
		count(stale);
		return;
	}
	if (!vm->route_valid(gsi, route))
		count(torn);
}

void routing_free(struct vm *vm)
{
	table_free(vm->retired);
	table_free(vm->table);
}
