/* SPDX-License-Identifier: MIT */
/*
 * A virtual machine: its local APICs and interrupt controllers, its table of
 * interrupt routes, the irqfds that are bound to it, and its memory.
 *
 * The table is read under irq_srcu, and so are the copies of its entries that
 * the irqfds keep: when routing_set() returns, no delivery by the table before
 * is under way and none will begin.
 *
 * Locks: update_lock, irqfds_lock, resampler_lock, chips_lock, in this order.
 * Only chips_lock is taken in handlers.
 */
#ifndef VM_H
#define VM_H

#include "ioapic.h"
#include "pic.h"
#include "workq.h"

#include <srcu/list.h>
#include <srcu/srcu.h>

#include <stddef.h>

/* What is there to take interrupts. */
enum irqchip {
	IRQCHIP_NONE,
	IRQCHIP_SPLIT, /* the local APICs alone */
	IRQCHIP_FULL,  /* and the PICs and the IOAPIC */
};

/* Who raises a line; one that two raise is up until both have lowered it. */
enum irq_source {
	SOURCE_USER,
	SOURCE_RESAMPLE, /* all irqfds that resample */
};

/* The numbers are KVM's. */
enum route_type {
	ROUTE_NONE,
	ROUTE_CHIP,
	ROUTE_MSI,
};

#define ROUTE_MSI_DEVID 1u /* the one flag that an MSI may have; without effect here */

enum chip_id {
	CHIP_PIC0,
	CHIP_PIC1,
	CHIP_IOAPIC,
	NR_CHIPS,
};

/* One way an interrupt may take.  Copied word by word under a seqcount. */
struct route {
	uint64_t generation; /* of its table */
	uint32_t type;
	uint32_t chip, pin;    /* CHIP */
	uint32_t dest, vector; /* MSI */
	uint32_t data;         /* what the device was told to send along */
};

struct route_entry {
	uint32_t gsi;
	uint32_t flags;
	struct route route; /* generation is filled in */
};

struct route_table;
struct irqfd;
struct hub_event;
struct memory;

/*
 * What is chosen, and what the machine does without when the demo shows why it is
 * there.  Set before there are irqfds.
 */
struct vm_switches {
	/* Choices: all is right either way. */
	bool route_by_pointer; /* irqfds point into the table, instead of having copies */
	bool domain_per_irqfd; /* routes are read in the irqfd's own domain, not in irq_srcu */

	/* Of the copy. */
	bool no_sequence;     /* its reader does not look whether a writer was there */
	bool irqs_on;         /* its writer does not keep interrupts out */
	bool wait_for_writer; /* its reader does not leave the event to the worker: it waits */

	/* Of delivery and of the update of routes. */
	bool no_fast_path;      /* all is left to the worker */
	bool keep_pointer;      /* a gsi with no entry in the new table keeps the old one's */
	bool no_grace_period;   /* publish, and free at once */
	bool one_domain_waited; /* with domain_per_irqfd, wait for irq_srcu alone */
	bool plain_lock;        /* readers are counted by load, add and store */

	/* Of an irqfd's end. */
	bool no_hup;      /* the last close tells nobody */
	bool no_claim;    /* a hang-up ends the irqfd also when somebody else does */
	bool irqfds_left; /* the machine's end does not unbind */
};

/* Where the demo can have something happen. */
enum window {
	WINDOW_ROUTE, /* a delivery has found its route, and not yet used it */
	WINDOW_COPY,  /* half of an irqfd's copy has been written */
	WINDOW_HUP,   /* a hang-up has yet to find out whether the irqfd is bound */
	WINDOW_LOCK,  /* a reader is being counted by load, add and store; else: is about to be */
};

typedef void window_fn(void *data, enum window where);

struct vm {
	/* Constant but for irqchip, which vm_create_irqchip() sets before there are irqfds. */
	enum irqchip irqchip;
	struct lapic *lapics;
	unsigned int nr_cpus;
	struct memory *memory;
	/* Says whether a table ever held @route for @gsi; or NULL. */
	bool (*route_valid)(unsigned int gsi, const struct route *route);
	/* How routing_set() waits for a domain's readers. */
	void (*wait)(struct srcu_struct *ssp);
	struct vm_switches switches;
	/* Called there, in the context that is there; or NULL.  Atomic. */
	window_fn *window;
	void *window_data;

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

	/* Atomic. */
	uint32_t nr_irqfds; /* made, and not freed */
	uint32_t gone;      /* ended, and kept to show who comes after that */

	/* Read under irq_srcu, written under resampler_lock. */
	pthread_mutex_t resampler_lock;
	struct srcu_list_head resamplers;

	/* Under chips_lock. */
	pthread_mutex_t chips_lock;
	struct pic pic;
	struct ioapic ioapic;

	struct workq workq;
};

/*
 * vm.c: a machine with a running worker, its APICs enabled; and its end, which
 * unbinds what is bound: 0, or -EBUSY with a reader left.  With irqfds_left it
 * only calls the machine gone; it can be ended once that is switched off.
 */
void vm_init(struct vm *vm, enum irqchip irqchip, unsigned int nr_cpus);
int vm_end(struct vm *vm);

/* vm.c: -EEXIST when there is one, -EINVAL when it is too late for one. */
int vm_create_irqchip(struct vm *vm);

/* vm.c: wait until what the worker was given before has run, and what that led to. */
void vm_settle(struct vm *vm);

/* vm.c: make a vector pending on @dest, or with APIC_BROADCAST on all CPUs.  Any context. */
enum delivery vm_deliver(struct vm *vm, unsigned int dest, unsigned int vector, bool level);

/* vm.c: set the lines that @gsi is routed to; an MSI is sent when it rises.  Any context. */
enum delivery vm_set_irq(struct vm *vm, enum irq_source source, unsigned int gsi, bool level);

/*
 * vm.c: raise them and lower them.  By one table: a line that is raised by one and
 * lowered by the next stays up, and has no edges any more.  KVM takes two.
 */
enum delivery vm_pulse_irq(struct vm *vm, enum irq_source source, unsigned int gsi);

static inline void vm_window(const struct vm *vm, enum window where)
{
	window_fn *window = __atomic_load_n(&vm->window, __ATOMIC_ACQUIRE); /* B, pairs with A */

	if (window)
		window(__atomic_load_n(&vm->window_data, __ATOMIC_RELAXED), where);
}

/* Others may be at work, but one window is not replaced by another where they come by. */
static inline void vm_set_window(struct vm *vm, window_fn *window, void *data)
{
	if (window)
		__atomic_store_n(&vm->window_data, data, __ATOMIC_RELAXED);
	__atomic_store_n(&vm->window, window, __ATOMIC_RELEASE); /* A */
}

/* vm.c: chips_lock with interrupts off. */
uint32_t chips_lock(struct vm *vm);
void chips_unlock(struct vm *vm, uint32_t flags);

/* routing.c: the table that a full set of chips begins with. */
void routing_set_default(struct vm *vm);

/*
 * routing.c: replace the whole table, or on -EINVAL (an entry that is not valid,
 * or that another forbids) change nothing.  Blocks for a grace period.
 */
int routing_set(struct vm *vm, const struct route_entry *entries, size_t nr);

/*
 * routing.c: @gsi's @nr entries, which are the table's own; NULL when the table
 * ends before that gsi.  In a section of irq_srcu, or for the table's updater.
 */
const struct route *routing_find(struct vm *vm, unsigned int gsi, unsigned int *nr);

/*
 * routing.c: copy @gsi's entries, at most one for each chip, and return how many
 * there are.  The caller is inside a section of irq_srcu.  Any context.
 */
unsigned int routing_get(struct vm *vm, unsigned int gsi, struct route routes[NR_CHIPS]);

/* routing.c: the gsi that leads to the IOAPIC's @pin, if any.  As routing_get(). */
bool routing_pin_gsi(struct vm *vm, unsigned int pin, unsigned int *gsi);

/*
 * routing.c: count a route that no table held (torn), and one whose table was
 * replaced before the caller's section began or has been freed (stale).  Call
 * it inside the section, after the last use of the route.
 */
void routing_check(struct vm *vm, unsigned int gsi, const struct route *route);

/* routing.c: free the tables at the machine's end. */
void routing_free(struct vm *vm);

/*
 * irqfd.c: bind @event to @gsi.  With @resample, the gsi's line stays up until the
 * end of its service, which @resample then tells.  -EBUSY when @event is bound, to
 * whatever gsi of whatever machine.
 */
int irqfd_assign(struct vm *vm, struct hub_event *event, unsigned int gsi,
	struct hub_event *resample, enum path path);

/*
 * irqfd.c: unbind.  Events signalled before are delivered when it returns, and
 * none after.  0 also when nothing was bound, as KVM has it.
 */
int irqfd_deassign(struct vm *vm, struct hub_event *event, unsigned int gsi);

/* irqfd.c: unbind all. */
void irqfd_release(struct vm *vm);

/* irqfd.c: for routing_set(): give every irqfd its entry of the new table. */
void irqfd_update_routes(struct vm *vm);

/* irqfd.c: for routing_set(): wait for the readers of all domains that irqfds have. */
void irqfd_wait_for_readers(struct vm *vm);

#endif /* VM_H */
