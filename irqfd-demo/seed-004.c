/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo seed 004: readers are counted in a way that interrupts cannot break.
 *
 * Code that sends an interrupt is counted as a reader of the routes; the wake-up
 * that interrupts it is counted, too.  Where the first count is by load, add and
 * store, the second is lost.  Then readers seem to be fewer than they are.
 */
#include "counters.h"
#include "cpu.h"
#include "seed-machine.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#define INTERRUPTS 10

static unsigned int warnings;

static void note_warning(const struct srcu_struct *ssp, const char *message)
{
	(void)ssp;
	(void)message;
	warnings++;
}

static void interrupt_lock(void *data, enum window where)
{
	if (where == WINDOW_LOCK)
		cpu_raise(data, 0);
}

/* Stay on this CPU, as the kernel does with preemption off: only interrupts come between. */
static void pin(void)
{
	int cpu = sched_getcpu();
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((unsigned int)cpu, &here);
	if (cpu < 0 || sched_setaffinity(0, sizeof(here), &here))
		die(errno, "cannot stay on CPU %d", cpu);
}

static void send_interrupted(struct seed_machine *machine, struct cpu *cpu)
{
	struct vm *vm = &machine->vm;
	window_fn *window = vm->window;
	void *window_data = vm->window_data;

	pin();
	vm_set_window(vm, interrupt_lock, cpu);
	vm_set_irq(vm, SOURCE_USER, SEED_GSI, true);
	vm_set_window(vm, window, window_data);
}

static void send_once(struct seed_machine *machine)
{
	seed_run_on_cpu(machine, send_interrupted);
}

static void send_all(struct seed_machine *machine)
{
	for (int i = 0; i < INTERRUPTS; i++)
		send_once(machine);
}

/* Unlocks less locks.  No section is under way. */
static uint64_t lost_locks(struct seed_machine *machine)
{
	struct srcu_stats stats;

	srcu_get_stats(&machine->vm.irq_srcu, &stats);
	return (uint64_t)0 - stats.readers;
}

/* The domain cannot be waited for any more, unless what was lost is made up for. */
static void make_up(struct seed_machine *machine, uint64_t lost)
{
	while (lost--)
		(void)srcu_read_lock_fast(&machine->vm.irq_srcu);
}

static bool readers_lost(bool without, char saw[SEED_SAW_SIZE])
{
	srcu_warn_fn *handler = srcu_set_warn_handler(note_warning);
	struct seed_machine machine;
	uint64_t lost;

	warnings = 0;
	seed_machine_begin(&machine, &(struct vm_switches){.plain_lock = without});
	send_all(&machine);
	lost = lost_locks(&machine);
	if (lost && cleanup_srcu_struct(&machine.vm.irq_srcu) != -EBUSY)
		die(0, "a domain with %" PRIu64 " locks lost is cleaned up", lost);
	make_up(&machine, lost);
	seed_machine_end(&machine);
	srcu_set_warn_handler(handler);

	snprintf(saw, SEED_SAW_SIZE, "%" PRIu64 " of %d readers not counted; clean-up %s", lost,
		INTERRUPTS, warnings ? "warns of them: -EBUSY" : "is silent");
	return !lost && !warnings;
}

static bool update_misses_reader(bool without, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	uint64_t stale;
	bool done;

	seed_machine_begin(
		&machine, &(struct vm_switches){.route_by_pointer = true, .plain_lock = without});
	done = seed_update_in_delivery(&machine, send_once, !without);
	stale = percpu_sum(&counters->stale);
	make_up(&machine, lost_locks(&machine));
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE, "the update %s, and the delivery has %s",
		done ? "returns" : "waits", stale ? "a freed route: poison" : "its route");
	return !done && !stale;
}

int seed_004(void)
{
	static const struct seed_part parts[] = {
		{"Ten readers are being counted when an interrupt comes, a reader itself.",
			"an increment in one piece", readers_lost},
		{"That happens once during a delivery, then the table is replaced.",
			"an increment in one piece", update_misses_reader},
	};

	printf("Seed 004: a reader is counted by one instruction.  See `irqfd-demo leak', too.\n");
	return seed_show(parts, ARRAY_SIZE(parts));
}
