/* SPDX-License-Identifier: MIT */
/*
 * The machine of the seeds about interrupts; seed-machine.h says what it is.
 */
#include "seed-machine.h"

#include "counters.h"
#include "cpu.h"

#include <semaphore.h>

#define NR_TARGETS 2

const struct seed_target seed_first = {0, 0x41}, seed_second = {1, 0x82};

static bool route_valid(unsigned int gsi, const struct route *route)
{
	const struct seed_target *target =
		route->dest == seed_first.cpu ? &seed_first : &seed_second;

	return gsi == SEED_GSI && route->dest == target->cpu && route->vector == target->vector;
}

void seed_machine_begin(struct seed_machine *machine, const struct vm_switches *switches)
{
	counters_init();
	vm_init(&machine->vm, IRQCHIP_FULL, NR_TARGETS);
	machine->vm.switches = *switches;
	machine->vm.route_valid = route_valid;
	machine->event = hub_open(0, 0);
	if (!machine->event)
		die(0, "cannot make an eventfd");
	seed_route(machine, &seed_first);
	if (irqfd_assign(&machine->vm, machine->event, SEED_GSI, NULL, PATH_DIRECT))
		die(0, "cannot bind an eventfd");
}

void seed_machine_end(struct seed_machine *machine)
{
	if (machine->event)
		hub_close(machine->event);
	if (vm_end(&machine->vm))
		die(0, "a machine has readers left");
	counters_free();
}

void seed_route(struct seed_machine *machine, const struct seed_target *target)
{
	const struct route_entry entry = {.gsi = SEED_GSI,
		.route = {.type = ROUTE_MSI, .dest = target->cpu, .vector = target->vector}};

	if (routing_set(&machine->vm, &entry, 1))
		die(0, "cannot set the routes");
}

void seed_signal(struct seed_machine *machine)
{
	if (hub_signal(machine->event, 1))
		die(0, "cannot signal an eventfd");
}

bool seed_pending(const struct seed_machine *machine, const struct seed_target *target)
{
	return lapic_pending(&machine->vm.lapics[target->cpu], target->vector);
}

/* A delivery that stops, once. */
struct stop {
	struct seed_machine *machine;
	sem_t reached, go;
	uint32_t used;
};

static void stop_here(void *data, enum window where)
{
	struct stop *stop = data;

	if (where != WINDOW_ROUTE || __atomic_exchange_n(&stop->used, 1, __ATOMIC_RELAXED))
		return;
	sem_post(&stop->reached);
	sem_wait(&stop->go);
}

static void signal_body(void *data)
{
	seed_signal(data);
}

static void update_body(void *data)
{
	seed_route(data, &seed_second);
}

bool seed_update_in_delivery(
	struct seed_machine *machine, void (*meanwhile)(struct seed_machine *machine), bool waits)
{
	struct seed_thread delivery = {.body = signal_body, .data = machine};
	struct seed_thread update = {.body = update_body, .data = machine};
	struct stop stop = {.machine = machine};
	bool done;

	sem_init(&stop.reached, 0, 0);
	sem_init(&stop.go, 0, 0);
	vm_set_window(&machine->vm, stop_here, &stop);
	seed_thread_start(&delivery);
	sem_wait(&stop.reached);
	if (meanwhile)
		meanwhile(machine);
	seed_thread_start(&update);
	done = seed_thread_await(&update, waits);
	sem_post(&stop.go);
	seed_thread_join(&delivery);
	seed_thread_join(&update);
	vm_set_window(&machine->vm, NULL, NULL);
	sem_destroy(&stop.go);
	sem_destroy(&stop.reached);
	return done;
}

struct host_cpu {
	struct seed_machine *machine;
	void (*body)(struct seed_machine *machine, struct cpu *cpu);
	sem_t done;
};

static void host_interrupt(void *data, unsigned int line)
{
	struct host_cpu *host = data;

	(void)line;
	seed_signal(host->machine);
}

static void host_run(void *data, struct cpu *cpu)
{
	struct host_cpu *host = data;

	host->body(host->machine, cpu);
	sem_post(&host->done);
}

void seed_run_on_cpu(
	struct seed_machine *machine, void (*body)(struct seed_machine *machine, struct cpu *cpu))
{
	struct host_cpu host = {.machine = machine, .body = body};
	const struct cpu_ops ops = {.line = host_interrupt, .run = host_run, .data = &host};
	struct cpu cpu = {0};

	cpu_init_signals();
	sem_init(&host.done, 0, 0);
	cpu_start(&cpu, 0, &ops, NULL);
	/* The kick that stops it would take the place of one that the body is about to send. */
	sem_wait(&host.done);
	cpu_stop(&cpu);
	sem_destroy(&host.done);
}
