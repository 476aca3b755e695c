/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo seed 003: closing the eventfd is enough to unbind it.
 *
 * Whoever goes first ends the irqfd: the last close, the program that unbinds, or
 * the machine.  In the first version each irqfd had a domain of its own; KVM has
 * one for each machine now.  The machine here has the former.
 */
#include "counters.h"
#include "seed-machine.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#define CLOSES 200

static struct hub_event *bind_one(struct seed_machine *machine)
{
	struct hub_event *event = hub_open(0, 0);

	if (!event || irqfd_assign(&machine->vm, event, SEED_GSI, NULL, PATH_DIRECT))
		die(0, "cannot bind an eventfd");
	return event;
}

static bool only_closed(bool without, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	struct hub_event *event;
	unsigned int left;
	bool again;

	seed_machine_begin(
		&machine, &(struct vm_switches){.domain_per_irqfd = true, .no_hup = without});
	for (int i = 0; i < CLOSES; i++)
		hub_close(bind_one(&machine));
	vm_settle(&machine.vm);
	left = __atomic_load_n(&machine.vm.nr_irqfds, __ATOMIC_RELAXED) - 1;
	event = bind_one(&machine);
	hub_signal(event, 1);
	again = seed_pending(&machine, &seed_first);
	hub_close(event);
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE, "%u irqfds are left, and a new one %s", left,
		again ? "works" : "does not work");
	return !left && again;
}

/* Somebody else who ends the irqfd. */
struct rival {
	struct seed_machine *machine;
	struct seed_thread thread;
};

static bool bound(struct vm *vm)
{
	bool bound;

	pthread_mutex_lock(&vm->irqfds_lock);
	bound = vm->irqfds != NULL;
	pthread_mutex_unlock(&vm->irqfds_lock);
	return bound;
}

static void rival_first(void *data, enum window where)
{
	struct rival *rival = data;

	if (where != WINDOW_HUP)
		return;
	seed_thread_start(&rival->thread);
	while (bound(&rival->machine->vm))
		sched_yield();
}

/* The last handle is closed; before the hang-up gets the lock, @body has ended the irqfd. */
static bool closed_too(bool without, void (*body)(void *machine), char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	struct rival rival = {.machine = &machine, .thread = {.body = body, .data = &machine}};
	uint64_t twice;

	seed_machine_begin(
		&machine, &(struct vm_switches){.domain_per_irqfd = true, .no_claim = without});
	vm_set_window(&machine.vm, rival_first, &rival);
	hub_close(machine.event);
	seed_thread_join(&rival.thread);
	machine.event = NULL;
	twice = percpu_sum(&counters->ended_twice);
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE, "the irqfd is released %s", twice ? "twice" : "once");
	return !twice;
}

static void unbind_body(void *data)
{
	struct seed_machine *machine = data;

	irqfd_deassign(&machine->vm, machine->event, SEED_GSI);
}

static void release_body(void *data)
{
	struct seed_machine *machine = data;

	irqfd_release(&machine->vm);
}

static bool closed_and_unbound(bool without, char saw[SEED_SAW_SIZE])
{
	return closed_too(without, unbind_body, saw);
}

static bool closed_and_machine_ended(bool without, char saw[SEED_SAW_SIZE])
{
	return closed_too(without, release_body, saw);
}

static bool machine_first(bool without, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	uint64_t after, kept;

	seed_machine_begin(
		&machine, &(struct vm_switches){.domain_per_irqfd = true, .irqfds_left = without});
	if (vm_end(&machine.vm))
		die(0, "a machine has readers left");
	seed_signal(&machine);
	after = percpu_sum(&counters->after_end);
	kept = hub_count(machine.event);
	if (without) {
		machine.vm.switches.irqfds_left = false;
		machine.vm.gone = 0;
		if (vm_end(&machine.vm))
			die(0, "a machine has readers left");
	}
	hub_close(machine.event);
	counters_free();

	if (after)
		snprintf(saw, SEED_SAW_SIZE, "the event is for a machine that is gone");
	else
		snprintf(saw, SEED_SAW_SIZE, "the eventfd counts %" PRIu64 ", and nobody comes",
			kept);
	return !after && kept == 1;
}

static bool update_waits_for_one(bool without, char saw[SEED_SAW_SIZE])
{
	struct seed_machine machine;
	uint64_t stale;
	bool done;

	seed_machine_begin(&machine, &(struct vm_switches){.domain_per_irqfd = true,
					     .route_by_pointer = true,
					     .one_domain_waited = without});
	done = seed_update_in_delivery(&machine, NULL, !without);
	stale = percpu_sum(&counters->stale);
	seed_machine_end(&machine);

	snprintf(saw, SEED_SAW_SIZE, "the update %s, and the delivery has %s",
		done ? "returns" : "waits", stale ? "a freed route: poison" : "its route");
	return !done && !stale;
}

int seed_003(void)
{
	static const struct seed_part parts[] = {
		{"200 eventfds are bound and only closed.", "the hang-up", only_closed},
		{"An eventfd is closed while it is being unbound.", "looking under the lock",
			closed_and_unbound},
		{"An eventfd is closed while the machine ends.", "looking under the lock",
			closed_and_machine_ended},
		{"The machine ends first, and the eventfd is signalled then.",
			"unbinding at the end", machine_first},
		{"The table is replaced during a delivery, in the irqfd's own domain.",
			"waiting for each irqfd's domain", update_waits_for_one},
	};

	printf("Seed 003: an irqfd ends with its eventfd, and has a domain of its own.\n");
	return seed_show(parts, ARRAY_SIZE(parts));
}
