/* SPDX-License-Identifier: MIT */
/*
 * A local APIC: the vectors that are pending for one CPU.  A CPU thread may be
 * plugged in to take them; where there is none they stay, as in a machine that
 * does not run.
 */
#ifndef LAPIC_H
#define LAPIC_H

#include "demo.h"

#include <stdbool.h>

#define NR_VECTORS     256
#define VECTOR_WORDS   (NR_VECTORS / 64)
#define APIC_BROADCAST 0xff

struct cpu;
struct vm;

/* What an attempt to deliver came to, the least first. */
enum delivery {
	DELIVERY_NOBODY,    /* no route or no CPU, or the pin is masked or in service */
	DELIVERY_NONE,      /* nobody there accepts the vector: dropped */
	DELIVERY_HELD,      /* no edge: the line was up, or its last one is still latched */
	DELIVERY_LINE,      /* a chip has the line as it was set; that sent no vector */
	DELIVERY_COALESCED, /* the vector was pending before */
	DELIVERY_PENDING,   /* it is now */
};

struct lapic {
	/* Constant once vectors may come. */
	struct vm *vm;
	struct cpu *cpu; /* takes the vectors; or NULL */

	/* Written by any thread and by handlers. */
	uint32_t enabled;           /* by software; it refuses vectors else */
	uint64_t irr[VECTOR_WORDS]; /* pending */
	uint64_t tmr[VECTOR_WORDS]; /* of those that came: level-triggered */
};

/* Make @vector pending.  Any context. */
enum delivery lapic_accept(struct lapic *lapic, unsigned int vector, bool level);

/* Switch it on or off.  What is pending stays. */
void lapic_enable(struct lapic *lapic, bool enabled);

/* Is @vector pending? */
bool lapic_pending(const struct lapic *lapic, unsigned int vector);

/* Forget what is pending, with no EOI. */
void lapic_clear(struct lapic *lapic);

/* Call @take for each pending vector, and end its service.  On the CPU, interrupts off. */
void lapic_serve(
	struct lapic *lapic, void (*take)(struct cpu *cpu, unsigned int vector), struct cpu *cpu);

/* The end of @vector's service, of which the IOAPIC is told. */
void lapic_eoi(struct lapic *lapic, unsigned int vector);

#endif /* LAPIC_H */
