/* SPDX-License-Identifier: MIT */
/*
 * The contents of the routing tables; plan.h says why they are a function.
 * Owns the numbers that the function depends on.
 *
 * Sources share a vector when there are more of them than vectors, as devices
 * share an interrupt on a real machine; a CPU that takes one asks them all.
 */
#include "plan.h"

#define FIRST_VECTOR 32 /* below are the processor's exceptions */
#define MSI_VECTORS  96 /* on each of a gsi's two CPUs */
#define PIN_VECTOR   (FIRST_VECTOR + 2 * MSI_VECTORS)

#define EDGE_PINS (NR_PINS - NR_LEVELS) /* the last ones are level-triggered */

#define GSI_BITS    12
#define NUMBER_MASK ((1u << (32 - GSI_BITS)) - 1)

_Static_assert(MAX_ROUTES <= 1 << GSI_BITS, "a gsi fits in its bits of the data");
_Static_assert(PIN_VECTOR + NR_PINS <= NR_VECTORS, "every pin has a vector");

static unsigned int nr_cpus, nr_edges;

void plan_init(unsigned int cpus, unsigned int edges)
{
	nr_cpus = cpus;
	nr_edges = edges;
}

static bool is_level(unsigned int gsi)
{
	return gsi >= nr_edges && gsi - nr_edges < NR_LEVELS;
}

static unsigned int level_pin(unsigned int gsi)
{
	return EDGE_PINS + gsi - nr_edges;
}

static unsigned int pin_cpu(unsigned int pin)
{
	return pin % nr_cpus;
}

void plan_ioapic(struct vm *vm)
{
	for (unsigned int pin = 0; pin < NR_PINS; pin++)
		ioapic_redirect(vm, pin,
			&(struct ioapic_pin){.dest = pin_cpu(pin),
				.vector = PIN_VECTOR + pin,
				.level = pin >= EDGE_PINS});
}

/* The CPU of @gsi in the first or second half of its movement. */
static unsigned int msi_cpu(unsigned int gsi, unsigned int half)
{
	return (gsi + half) % nr_cpus;
}

struct route_entry plan_entry(unsigned int gsi, uint64_t number)
{
	unsigned int phase = (unsigned int)(number + gsi) % 16, half = phase % 2;
	struct route_entry entry = {.gsi = gsi};

	/* The data names the table, so that parts of two tables do not match. */
	entry.route.data = (uint32_t)(number & NUMBER_MASK) << GSI_BITS | gsi;
	if (is_level(gsi) || phase == 15) {
		entry.route.type = ROUTE_CHIP;
		entry.route.chip = CHIP_IOAPIC;
		entry.route.pin = is_level(gsi) ? level_pin(gsi) : gsi % EDGE_PINS;
		return entry;
	}
	entry.route.type = ROUTE_MSI;
	entry.route.dest = msi_cpu(gsi, half);
	entry.route.vector = FIRST_VECTOR + half * MSI_VECTORS + gsi % MSI_VECTORS;
	return entry;
}

bool plan_holds(unsigned int gsi, const struct route *route)
{
	struct route held = plan_entry(gsi, route->generation).route;

	return held.type == route->type && held.chip == route->chip && held.pin == route->pin &&
	       held.dest == route->dest && held.vector == route->vector && held.data == route->data;
}

static unsigned int visit_pin(unsigned int cpu, unsigned int pin, void (*visit)(unsigned int gsi))
{
	unsigned int visited = 0;

	if (pin >= NR_PINS || pin_cpu(pin) != cpu)
		return 0;
	if (pin >= EDGE_PINS) {
		visit(nr_edges + pin - EDGE_PINS);
		return 1;
	}
	for (unsigned int gsi = pin; gsi < nr_edges; gsi += EDGE_PINS, visited++)
		visit(gsi);
	return visited;
}

unsigned int plan_sources(unsigned int cpu, unsigned int vector, void (*visit)(unsigned int gsi))
{
	unsigned int half, visited = 0;

	if (vector < FIRST_VECTOR)
		return 0;
	if (vector >= PIN_VECTOR)
		return visit_pin(cpu, vector - PIN_VECTOR, visit);
	half = (vector - FIRST_VECTOR) / MSI_VECTORS;
	for (unsigned int gsi = (vector - FIRST_VECTOR) % MSI_VECTORS; gsi < nr_edges;
		gsi += MSI_VECTORS) {
		if (msi_cpu(gsi, half) != cpu)
			continue;
		visit(gsi);
		visited++;
	}
	return visited;
}
