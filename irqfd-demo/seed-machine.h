/* SPDX-License-Identifier: MIT */
/*
 * What the seeds about interrupts begin with: a machine of two CPUs that do not
 * run, and one eventfd bound to one gsi, which is routed to one CPU and then to
 * the other.
 */
#ifndef SEED_MACHINE_H
#define SEED_MACHINE_H

#include "hub.h"
#include "seed.h"
#include "vm.h"

#define SEED_GSI 24

struct seed_target {
	unsigned int cpu, vector;
};

/* Where the gsi leads first, and second. */
extern const struct seed_target seed_first, seed_second;

struct seed_machine {
	struct vm vm;
	struct hub_event *event; /* NULL when its handle has been closed */
};

/* Counts from zero, the first route is set, and the eventfd is bound. */
void seed_machine_begin(struct seed_machine *machine, const struct vm_switches *switches);

/* Dies when there is a reader left. */
void seed_machine_end(struct seed_machine *machine);

void seed_route(struct seed_machine *machine, const struct seed_target *target);
void seed_signal(struct seed_machine *machine);
bool seed_pending(const struct seed_machine *machine, const struct seed_target *target);

/*
 * A delivery stops with its route found; @meanwhile, unless it is NULL, is called;
 * then another thread sets the second route.  When that waits, or is done, the
 * delivery goes on.  Returns whether the update was done before.  @waits: it is
 * expected to wait.
 */
bool seed_update_in_delivery(
	struct seed_machine *machine, void (*meanwhile)(struct seed_machine *machine), bool waits);

/* Run @body on a CPU of the host, whose one device signals the eventfd when it interrupts. */
struct cpu;
void seed_run_on_cpu(
	struct seed_machine *machine, void (*body)(struct seed_machine *machine, struct cpu *cpu));

#endif /* SEED_MACHINE_H */
