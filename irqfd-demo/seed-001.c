/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo seed 001: message-signalled interrupts without the worker.
 *
 * The irqfd points to its entry of the table, and the wake-up follows it in a
 * read-side section.  So the table may be freed only after a grace period, and no
 * irqfd may go on pointing into it.
 */
#include "counters.h"
#include "seed-machine.h"

#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define SIGNALS 100
#define TIMED   1001

/* Work that keeps the worker. */
struct keeper {
	struct work work; /* first */
	sem_t reached, go;
};

static void keeper_run(struct work *work)
{
	struct keeper *keeper = (struct keeper *)work;

	sem_post(&keeper->reached);
	sem_wait(&keeper->go);
}

static unsigned int take_pending(struct seed_machine *machine)
{
	bool pending = seed_pending(machine, &seed_first);

	lapic_clear(&machine->vm.lapics[seed_first.cpu]);
	return pending;
}

/* Signal while the worker is kept; how many interrupts are pending when the signal returns? */
static unsigned int signal_without_worker(struct seed_machine *machine)
{
	struct keeper keeper = {.work.run = keeper_run};
	unsigned int pending = 0;

	sem_init(&keeper.reached, 0, 0);
	sem_init(&keeper.go, 0, 0);
	workq_submit(&machine->vm.workq, &keeper.work);
	sem_wait(&keeper.reached);
	for (int i = 0; i < SIGNALS; i++) {
		seed_signal(machine);
		pending += take_pending(machine);
	}
	sem_post(&keeper.go);
	vm_settle(&machine->vm);
	take_pending(machine);
	sem_destroy(&keeper.go);
	sem_destroy(&keeper.reached);
	return pending;
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* From the signal to the pending interrupt, the worker being there. */
static uint64_t median_ns(struct seed_machine *machine)
{
	static uint64_t ns[TIMED];

	for (size_t i = 0; i < TIMED; i++) {
		uint64_t began = now_ns();

		seed_signal(machine);
		while (!seed_pending(machine, &seed_first))
			sched_yield();
		ns[i] = now_ns() - began;
		vm_settle(&machine->vm);
		take_pending(machine);
	}
	qsort(ns, TIMED, sizeof(ns[0]), compare_ns);
	return ns[TIMED / 2];
}

static bool worker_kept(bool without, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	unsigned int pending;
	uint64_t median;

	seed_machine_begin(
		&machine, &(struct vm_switches){.route_by_pointer = true, .no_fast_path = without});
	pending = signal_without_worker(&machine);
	median = median_ns(&machine);
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE,
		"%u of %u delivered when the signal returns; with a worker, after %" PRIu64 " ns",
		pending, SIGNALS, median);
	return pending == SIGNALS;
}

/* The gsi loses its entry, in a table that is longer than its number. */
static bool entry_goes(bool without, char saw[SEED_SAW_SIZE])
{
	const struct route_entry other = {.gsi = SEED_GSI + 6, .route = {.type = ROUTE_MSI}};
	struct seed_machine machine;
	uint64_t stale;
	bool pending;

	seed_machine_begin(
		&machine, &(struct vm_switches){.route_by_pointer = true, .keep_pointer = without});
	if (routing_set(&machine.vm, &other, 1))
		die(0, "cannot set the routes");
	seed_signal(&machine);
	vm_settle(&machine.vm);
	stale = percpu_sum(&counters->stale);
	pending = seed_pending(&machine, &seed_first);
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE, "%s",
		stale     ? "the event follows a route of the freed table: poison"
		: pending ? "delivered by the old route"
			  : "the event is dropped");
	return !stale && !pending;
}

static bool update_meets_pointer(bool without, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	uint64_t stale;
	bool done, right;

	seed_machine_begin(&machine,
		&(struct vm_switches){.route_by_pointer = true, .no_grace_period = without});
	done = seed_update_in_delivery(&machine, NULL, !without);
	stale = percpu_sum(&counters->stale);
	right = !done && !stale && seed_pending(&machine, &seed_first);
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE, "the update %s, and the delivery has %s",
		done ? "returns" : "waits", stale ? "a freed route: poison" : "its route");
	return right;
}

int seed_001(void)
{
	static const struct seed_part parts[] = {
		{"Events are signalled while the worker is busy.", "delivery by the signaller",
			worker_kept},
		{"A table without the irqfd's gsi replaces one with it.", "clearing the pointer",
			entry_goes},
		{"A delivery follows its pointer when the table is replaced.", "the grace period",
			update_meets_pointer},
	};

	printf("Seed 001: the wake-up follows a pointer to the route, and needs no worker.\n");
	return seed_show(parts, ARRAY_SIZE(parts));
}
