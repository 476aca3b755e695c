/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo seed 000: an irqfd keeps a copy of its route, not a pointer to it.
 *
 * The copy is changed in place while interrupts are delivered by it, so it is
 * read under a sequence counter.  Where a wake-up can interrupt the writer, the
 * writer keeps interrupts out, or the wake-up does not wait for it.  The grace
 * period stays: after the update no delivery has the old copy.
 */
#include "counters.h"
#include "cpu.h"
#include "seed-machine.h"

#include <stdio.h>

static void signal_body(void *data)
{
	seed_signal(data);
}

/* Another thread signals, and is through with it, while the copy is half old and half new. */
static void signal_in_copy(void *data, enum window where)
{
	struct seed_thread other = {.body = signal_body, .data = data};

	if (where != WINDOW_COPY)
		return;
	seed_thread_start(&other);
	seed_thread_join(&other);
}

static bool copy_half_written(bool without, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	uint64_t torn;
	bool right;

	seed_machine_begin(&machine, &(struct vm_switches){.no_sequence = without});
	vm_set_window(&machine.vm, signal_in_copy, &machine);
	seed_route(&machine, &seed_second);
	vm_settle(&machine.vm);
	torn = percpu_sum(&counters->torn);
	right = !torn && seed_pending(&machine, &seed_second);
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE, "%s",
		torn    ? "delivered to CPU 1 by vector 0x41, which no table has: torn"
		: right ? "delivered to CPU 1 by vector 0x82"
			: "not delivered");
	return right;
}

static void interrupt_in_copy(void *data, enum window where)
{
	if (where == WINDOW_COPY)
		cpu_raise(data, 0);
}

static void update_on_cpu(struct seed_machine *machine, struct cpu *cpu)
{
	vm_set_window(&machine->vm, interrupt_in_copy, cpu);
	seed_route(machine, &seed_second);
	vm_set_window(&machine->vm, NULL, NULL);
}

/* The eventfd is signalled in an interrupt of the CPU that writes the copy, just then. */
static bool writer_interrupted(const struct vm_switches *switches, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	uint64_t stuck;
	bool right;

	seed_machine_begin(&machine, switches);
	seed_run_on_cpu(&machine, update_on_cpu);
	vm_settle(&machine.vm);
	stuck = percpu_sum(&counters->stuck);
	right = !stuck && seed_pending(&machine, &seed_second);
	snprintf(saw, SEED_SAW_SIZE, "%s%s",
		stuck   ? "the handler waits for ever, given up after a million looks"
		: right ? "delivered to CPU 1 by vector 0x82"
			: "not delivered",
		right && percpu_sum(&counters->by_worker) ? ", by the worker" : "");
	seed_machine_end(&machine);
	return right;
}

static bool waits_with_interrupts(bool without, char saw[SEED_SAW_SIZE])
{
	return writer_interrupted(
		&(struct vm_switches){.wait_for_writer = true, .irqs_on = without}, saw);
}

static bool interrupts_without_waiting(bool without, char saw[SEED_SAW_SIZE])
{
	return writer_interrupted(
		&(struct vm_switches){.irqs_on = true, .wait_for_writer = without}, saw);
}

static bool update_meets_copy(bool without, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	uint64_t stale;
	bool done;

	seed_machine_begin(&machine, &(struct vm_switches){.no_grace_period = without});
	done = seed_update_in_delivery(&machine, NULL, !without);
	stale = percpu_sum(&counters->stale);
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE, "the update %s%s", done ? "returns" : "waits",
		stale ? ", and then an interrupt comes by the old route" : "");
	return !done && !stale;
}

int seed_000(void)
{
	static const struct seed_part parts[] = {
		{"An event comes while half of the copy is new.", "the sequence counter",
			copy_half_written},
		{"The copy's writer is interrupted by an event, whose reader waits for writers.",
			"interrupts off", waits_with_interrupts},
		{"The same, with interrupts on.", "leaving it to the worker",
			interrupts_without_waiting},
		{"A delivery has its copy when the table is replaced.", "the grace period",
			update_meets_copy},
	};

	printf("Seed 000: an irqfd has a copy of its route, read under a sequence counter.\n");
	return seed_show(parts, ARRAY_SIZE(parts));
}
