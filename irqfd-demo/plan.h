/* SPDX-License-Identifier: MIT */
/*
 * What the routing tables of a run hold.  The route of a gsi in update number n
 * is a function of the two, so that any part of the program can tell whether a
 * table ever held a route, and whom a vector on a CPU may come from.
 *
 * A gsi moves between two CPUs, with another vector on each, and every
 * sixteenth update takes it through a pin of the IOAPIC.  The level-triggered
 * devices have the gsis behind the others', and each a pin that it keeps.
 */
#ifndef PLAN_H
#define PLAN_H

#include "vm.h"

/* Before the first update, once. */
void plan_init(unsigned int nr_cpus, unsigned int nr_edges);

/* Set where the IOAPIC's pins lead. */
void plan_ioapic(struct vm *vm);

/* The entry of @gsi in update @number.  Generation and number must run together. */
struct route_entry plan_entry(unsigned int gsi, uint64_t number);

/* Did a table hold @route for @gsi?  Any context. */
bool plan_holds(unsigned int gsi, const struct route *route);

/*
 * Call @visit for each source that some update routes to @vector on @cpu, and
 * return how many there are.  Any context.
 */
unsigned int plan_sources(unsigned int cpu, unsigned int vector, void (*visit)(unsigned int gsi));

#endif /* PLAN_H */
