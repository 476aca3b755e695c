/* SPDX-License-Identifier: MIT */
/*
 * A CPU: a thread whose interrupts are real-time signals: those of the host's
 * devices, and the vectors of the local APIC that it is plugged into, if any.
 *
 * A signal carries nothing.  What is pending is in the bitmaps of the CPU and its APIC, and one
 * signal is under way at a time however many bits are set, for the kernel's
 * queue of real-time signals is short.
 *
 * The handler may run wherever the thread has not called local_irq_save().
 */
#ifndef CPU_H
#define CPU_H

#include "demo.h"

#include <semaphore.h>
#include <stdbool.h>

#define NR_LINES   MAX_SOURCES
#define LINE_WORDS ((NR_LINES + 63) / 64)

struct cpu;
struct lapic;

/* What a CPU does; all run on its thread. */
struct cpu_ops {
	void (*line)(void *data, unsigned int line);                      /* in the handler */
	void (*vector)(void *data, struct cpu *cpu, unsigned int vector); /* in the handler */
	void (*run)(void *data, struct cpu *cpu);   /* once, before it goes idle; or NULL */
	void (*woken)(void *data, struct cpu *cpu); /* after each interrupt; or NULL */
	void *data;
};

struct cpu {
	/* Constant once the thread has started. */
	unsigned int id;
	const struct cpu_ops *ops;
	struct lapic *lapic; /* or NULL */
	pthread_t thread;

	/* Written by any thread and by handlers. */
	uint64_t lines[LINE_WORDS]; /* pending device interrupts of the host */
	uint32_t kicked;            /* a signal, or a replay, is on its way */
	uint32_t sync_wanted;
	uint32_t stopping;
	sem_t synced;

	/* Written by the CPU's own thread and handler. */
	uint32_t irqs_off;
	uint32_t replay; /* an interrupt came while irqs_off */
};

/* Block the CPUs' signals in this thread and those it starts, and set the handler up. */
void cpu_init_signals(void);

/* Start one that takes the vectors of @lapic, or with NULL none. */
void cpu_start(struct cpu *cpu, unsigned int id, const struct cpu_ops *ops, struct lapic *lapic);

/* Ask the CPU to end once it is idle, and wait for that. */
void cpu_stop(struct cpu *cpu);

/* Wait until the CPU has served all that was pending at the call.  Not in a handler. */
void cpu_sync(struct cpu *cpu);

/*
 * Make device interrupt @line pending on @cpu.  Any context, handlers included.
 * Returns false when it was pending already: the events have become one.
 */
bool cpu_raise(struct cpu *cpu, unsigned int line);

/* Have it look at what is pending: the caller has made something so.  Any context. */
void cpu_kick(struct cpu *cpu);

/*
 * Keep this thread's interrupts out until local_irq_restore(), which runs what
 * came meanwhile.  No system call.  Nests; on a thread that is no CPU it does
 * nothing, as no interrupts come there.
 */
uint32_t local_irq_save(void);
void local_irq_restore(uint32_t flags);

#endif /* CPU_H */
