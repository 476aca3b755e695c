/* SPDX-License-Identifier: MIT */
/*
 * One step of a scenario, as data: what the parser makes of a line, what the
 * fuzzer generates and shrinks, and what both backends carry out.  A step's
 * outcome is a line of text; two backends agree when their lines are equal.
 *
 * Machines, eventfds and slots are named by small numbers; the text form writes
 * them m0, e3.  A name that is taken, or that nothing has, is the script's
 * fault: the parser refuses such a script, so that backends need not.
 */
#ifndef STEP_H
#define STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_MACHINES 4
#define MAX_EVENTS   16
#define MAX_VCPUS    4

/* Besides 0 to MAX_EVENTS - 1: descriptors that are no eventfds. */
#define EVENT_CLOSED 100 /* "closed": a number that is not open */
#define EVENT_FILE   101 /* "file": open, but no eventfd */

enum op {
	/* Machines.  A dup is one more handle of the same machine. */
	OP_VM,       /* machine, chip, number = CPUs; APICs enabled */
	OP_VM_DUP,   /* machine = the new name, other = of which */
	OP_VM_CLOSE, /* machine; with keep_cpus, its CPUs stay open until it is closed again */
	OP_IRQCHIP,  /* machine: create it once more */
	OP_APIC,     /* machine, cpu, number = 1 software-enabled, 0 disabled */

	/* Eventfds. */
	OP_EVENT,     /* event, value = initial count, number = 1 for EFD_SEMAPHORE */
	OP_EVENT_DUP, /* event = the new name, other = of which */
	OP_CLOSE,     /* event */
	OP_SIGNAL,    /* event, value */

	/* Interrupts. */
	OP_ASSIGN, /* machine, event, gsi, flags (bits besides RESAMPLE), other = resample event */
	OP_DEASSIGN, /* the same */
	OP_ROUTE,    /* machine, routes, flags of the table */
	OP_LINE,     /* machine, gsi, number = level; with status, "delivered", "coalesced" or
			"ignored" */
	OP_MSI,      /* machine, cpu = APIC id, vector, flags; "delivered" or "dropped" */
	OP_IOAPIC,   /* machine, pin, redirection, which is all of the entry: remote_irr is 0 */
	OP_CLEAR,    /* machine: zero IRR, ISR and TMR of every local APIC */

	/* Memory.  The program owns an arena of ARENA_PAGES pages. */
	OP_SLOT,        /* machine, slot, memory */
	OP_GUEST_WRITE, /* machine, gpa but 0: it writes 12 bytes there through its slots */
	OP_UNMAP,       /* page: the arena's page is unmapped and mapped afresh */
	OP_IOEVENT,     /* machine, event, ioevent, flags */
	OP_IOEVENT_OFF, /* the same */

	/* Observations.  They settle first: what is under way has arrived. */
	OP_SHOW_IRR,   /* machine: "0:0x41 1:0x82", in order, or "none" */
	OP_SHOW_COUNT, /* event: its count, in decimal; nothing is taken from it or wakes up */
	OP_SHOW_POLL,  /* event: "ready" or "idle" */
	OP_SHOW_PIN,   /* machine, pin: "irr=0|1 remote_irr=0|1" of the IOAPIC */
	OP_SHOW_PIC,   /* machine: "0x20 0x0": IRR of the two PICs */
	OP_SHOW_PAGE,  /* page: "written" or "clean", and cleans it */
	OP_SHOW_DIRTY, /* machine, memory.slot: errno, or the bitmap as one 64-bit number in hex,
			  which reading clears */
	NR_OPS,
};

enum chip {
	CHIP_FULL,
	CHIP_NONE,
	CHIP_SPLIT,
};

enum step_route_type {
	STEP_ROUTE_MSI,  /* dest, vector */
	STEP_ROUTE_CHIP, /* chip 0 and 1 the PICs, 2 the IOAPIC; pin */
	STEP_ROUTE_RAW,  /* a type number in chip, for the errors */
};

struct step_route {
	enum step_route_type type;
	uint32_t gsi;
	uint32_t flags;
	uint32_t chip, pin;
	uint32_t dest, vector;
};

struct step_redirection {
	uint32_t vector, dest;
	bool level, masked;
};

#define ARENA_PAGES 16

/* At most, of one slot: the bitmap of its pages is one number. */
#define STEP_SLOT_PAGES 64

struct step_memory {
	uint32_t slot; /* id, and the address space above bit 15 */
	uint32_t flags;
	uint64_t gpa, size;
	uint64_t hva; /* from the arena's beginning; or HVA_... */
};

#define HVA_UNMAPPED ((uint64_t)1 << 40) /* a user address where nothing is */
#define HVA_KERNEL   ((uint64_t)1 << 41) /* an address above user space */

struct step_ioevent {
	uint64_t addr, datamatch;
	uint32_t length;
	bool pio, wildcard;
};

struct step {
	enum op op;
	bool child;     /* carried out by a child process of the machine's creator */
	bool null;      /* the argument structure is a NULL pointer */
	bool keep_cpus; /* OP_VM_CLOSE */
	bool status;    /* OP_LINE */
	bool cut;       /* OP_ROUTE: the table ends where memory that can be read does, after its
			   header */
	unsigned int machine, event, other, cpu, page;
	uint32_t gsi, pin, vector, flags, number;
	bool has_other; /* OP_ASSIGN, OP_DEASSIGN: with RESAMPLE and other */
	uint64_t value, gpa;
	enum chip chip;
	struct step_redirection redirection;
	struct step_memory memory;
	struct step_ioevent ioevent;
	struct step_route *routes; /* OP_ROUTE; the script's */
	size_t nr_routes;
};

#define OUTCOME_SIZE 256

/* What differs from one kernel to the next, and a script may depend on. */
#define FEATURE_GLOBAL_EBUSY      1u /* an eventfd is bound once among all machines (6.17) */
#define FEATURE_ONE_ADDRESS_SPACE 2u /* there is no second one for system management mode */
#define NR_FEATURES               2

/* A world: the machines, eventfds and the arena of one run of a script. */
struct world;

struct backend {
	const char *name;
	/* NULL with *why set when it cannot be used here. */
	struct world *(*begin)(const char **why);
	unsigned int (*features)(const struct world *world); /* FEATURE_... */
	/*
	 * Carry out @step.  @outcome gets the errno's name, "0", or what was
	 * observed.  @expected, when it is not NULL, is what an observation may
	 * wait for, for up to a second; it never changes what is reported.
	 */
	void (*run)(struct world *world, const struct step *step, const char *expected,
		char outcome[OUTCOME_SIZE]);
	void (*end)(struct world *world);
};

extern const struct backend model_backend;
extern const struct backend kvm_backend;

#endif /* STEP_H */
