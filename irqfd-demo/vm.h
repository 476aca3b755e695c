/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: its CPUs, its interrupt controller, its table of interrupt
 * routes, and the irqfds that are bound to it.
 *
 * The table is read under irq_srcu, and so are the copies of its entries that
 * the irqfds keep: when routing_set() returns, no delivery by the table before
 * is under way and none will begin.
 *
 * Locks: update_lock, then irqfds_lock.  No handler takes either.
 */
#ifndef VM_H
#define VM_H

#include "cpu.h"
#include "workq.h"

#include <srcu/srcu.h>

#include <stddef.h>

#define NR_PINS 24

enum route_type {
	ROUTE_NONE,
	ROUTE_MSI,
	ROUTE_IRQCHIP,
};

/* One way an interrupt may take.  Copied word by word under a seqcount. */
struct route {
	uint64_t generation; /* of its table */
	uint32_t type;
	uint32_t dest; /* MSI: the CPU; IRQCHIP: the pin */
	uint32_t vector;
	uint32_t data; /* what the device was told to send along */
};

struct route_entry {
	uint32_t gsi;
	struct route route; /* generation is filled in */
};

struct route_table;
struct irqfd;
struct hub_event;
struct memory;

/* An edge-triggered interrupt controller, written by the worker alone. */
struct irqchip {
	struct {
		uint32_t dest;
		uint32_t vector;
	} pin[NR_PINS];
	uint32_t lines;
};

struct vm {
	/* Constant. */
	struct cpu *cpus;
	unsigned int nr_cpus;
	/* Says whether a table ever held @route for @gsi. */
	bool (*route_valid)(unsigned int gsi, const struct route *route);

	/* Read under irq_srcu, written under update_lock. */
	struct srcu_struct irq_srcu;
	struct route_table *table;
	uint64_t complete; /* generation of the latest update that has returned */

	/* Under update_lock. */
	pthread_mutex_t update_lock;
	struct route_table *retired; /* poisoned; freed by the next update */

	/* Under irqfds_lock, with interrupts off. */
	pthread_mutex_t irqfds_lock;
	struct irqfd *irqfds;

	struct irqchip irqchip;
	struct workq workq;

	struct memory *memory;
};

/* What an attempt to deliver came to. */
enum delivery {
	DELIVERY_PENDING,   /* the vector is pending now */
	DELIVERY_COALESCED, /* it was before */
	DELIVERY_NONE,      /* no route, or no such CPU or vector: dropped */
};

/* vm.c: an empty machine with a running worker; and its end: 0, or -EBUSY with a reader left. */
void vm_init(struct vm *vm, struct cpu *cpus, unsigned int nr_cpus);
int vm_end(struct vm *vm);

/* vm.c: send an MSI.  Any context. */
enum delivery vm_msi(struct vm *vm, unsigned int dest, unsigned int vector);

/* vm.c: raise a pin's line and lower it.  On the worker. */
enum delivery irqchip_pulse(struct vm *vm, unsigned int pin);

/*
 * routing.c: replace the whole table, or on -EINVAL (a gsi twice or out of
 * range, an unknown type or pin) change nothing.  Blocks for a grace period.
 */
int routing_set(struct vm *vm, const struct route_entry *entries, size_t nr);

/* routing.c: copy @gsi's entry; the caller is inside a section of irq_srcu.  Any context. */
struct route routing_get(struct vm *vm, unsigned int gsi);

/*
 * routing.c: count a route that no table held (torn), and one whose table was
 * replaced before the caller's section began or has been freed (stale).  Call
 * it inside the section, after the last use of the route.
 */
void routing_check(struct vm *vm, unsigned int gsi, const struct route *route);

/* routing.c: free the tables at the machine's end. */
void routing_free(struct vm *vm);

/* irqfd.c */
int irqfd_assign(struct vm *vm, struct hub_event *event, unsigned int gsi, enum path path);

/*
 * irqfd.c: unbind.  Events signalled before are delivered when it returns, and
 * none after.  0 also when nothing was bound, as KVM has it.
 */
int irqfd_deassign(struct vm *vm, struct hub_event *event, unsigned int gsi);

/* irqfd.c: for routing_set(): give every irqfd its entry of the new table. */
void irqfd_update_routes(struct vm *vm);

#endif /* VM_H */
