/* SPDX-License-Identifier: MIT */
/*
 * The ways through irqfd-demo's model.  What waits for events waits on any CPU;
 * what injects has one.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#include "bench/inject.h"
#include "bench/shim.h"
#include "irqfd-demo/counters.h"
#include "irqfd-demo/cpu.h"
#include "irqfd-demo/hub.h"
#include "irqfd-demo/reactor.h"
#include "irqfd-demo/vm.h"

#define LOST_NS 1000000000u /* after so long an event is given up */

const struct inject_path *const inject_paths[] = {
	&inject_direct,
	&inject_workqueue,
	&inject_eventfd,
	&inject_signal,
#ifdef __x86_64__
	&inject_kvm,
#endif
	NULL,
};

static struct vm vm;
static struct hub_event *events[INJECT_BATCH];
static struct reactor reactor;
static struct cpu cpu;

static const char *events_open(void)
{
	for (unsigned int i = 0; i < INJECT_BATCH; i++) {
		events[i] = hub_open(0, 0);
		if (events[i])
			continue;
		while (i)
			hub_close(events[--i]);
		return strerror(errno);
	}
	return NULL;
}

/* Event i is gsi i, which leads to vector INJECT_VECTOR + i whatever the route. */
static void set_routes(enum route_type type)
{
	struct route_entry entries[INJECT_BATCH];

	for (unsigned int i = 0; i < INJECT_BATCH; i++) {
		const struct ioapic_pin pin = {.vector = INJECT_VECTOR + i};

		entries[i] = (struct route_entry){.gsi = i, .route.type = type};
		if (type == ROUTE_MSI) {
			entries[i].route.vector = INJECT_VECTOR + i;
		} else {
			entries[i].route.chip = CHIP_IOAPIC;
			entries[i].route.pin = i;
			ioapic_redirect(&vm, i, &pin);
		}
	}
	if (routing_set(&vm, entries, INJECT_BATCH))
		die(0, "cannot set the routes");
}

static const char *machine_begin(enum route_type type, enum path path)
{
	const char *why = events_open();

	if (why)
		return why;
	if (!counters)
		counters_init();
	pin_off_readers();
	vm_init(&vm, IRQCHIP_FULL, 1);
	set_routes(type);
	for (unsigned int i = 0; i < INJECT_BATCH; i++)
		if (irqfd_assign(&vm, events[i], i, NULL, path))
			die(0, "cannot bind an eventfd");
	return NULL;
}

static void machine_end(void)
{
	for (unsigned int i = 0; i < INJECT_BATCH; i++) {
		irqfd_deassign(&vm, events[i], i);
		hub_close(events[i]);
	}
	if (vm_end(&vm))
		die(0, "a machine had readers left at its end");
}

/* With one CPU to use, whom this waits for would otherwise wait for it. */
static bool await(unsigned int vector)
{
	uint64_t end = 0;

	while (!lapic_pending(&vm.lapics[0], vector)) {
		if (usable_cpus() == 1)
			sched_yield();
		if (!end)
			end = clock_ns() + LOST_NS;
		else if (clock_ns() > end)
			return false;
	}
	return true;
}

static inline __attribute__((always_inline)) bool time_batch(
	void (*inject)(unsigned int i), uint64_t *ns)
{
	uint64_t began = clock_ns();

	for (unsigned int i = 0; i < INJECT_BATCH; i++) {
		inject(i);
		if (!await(INJECT_VECTOR + i))
			return false;
	}
	*ns = clock_ns() - began;
	lapic_clear(&vm.lapics[0]);
	return true;
}

static void signal_one(unsigned int i)
{
	if (hub_signal(events[i], 1))
		die(0, "cannot signal an eventfd");
}

static bool time_signals(uint64_t *ns)
{
	return time_batch(signal_one, ns);
}

static const char *direct_begin(void)
{
	return machine_begin(ROUTE_MSI, PATH_DIRECT);
}

const struct inject_path inject_direct = {
	.name = "direct",
	.begin = direct_begin,
	.end = machine_end,
	.time = time_signals,
};

static const char *workqueue_begin(void)
{
	return machine_begin(ROUTE_CHIP, PATH_DIRECT);
}

const struct inject_path inject_workqueue = {
	.name = "workqueue",
	.begin = workqueue_begin,
	.end = machine_end,
	.time = time_signals,
};

static const char *eventfd_begin(void)
{
	const char *why = machine_begin(ROUTE_MSI, PATH_EVENTFD);

	if (why)
		return why;
	reactor_init(&reactor, INJECT_BATCH);
	for (unsigned int i = 0; i < INJECT_BATCH; i++)
		reactor_add(&reactor, hub_dup(events[i]), -1);
	reactor_start(&reactor);
	return NULL;
}

static void eventfd_end(void)
{
	reactor_stop(&reactor);
	machine_end();
}

static void write_one(unsigned int i)
{
	if (hub_write(events[i], 1))
		die(0, "cannot write an eventfd");
}

static bool time_writes(uint64_t *ns)
{
	return time_batch(write_one, ns);
}

const struct inject_path inject_eventfd = {
	.name = "eventfd",
	.begin = eventfd_begin,
	.end = eventfd_end,
	.time = time_writes,
};

static void line(void *data, unsigned int i)
{
	(void)data;
	signal_one(i);
}

static const char *signal_begin(void)
{
	static const struct cpu_ops ops = {.line = line};
	const char *why = machine_begin(ROUTE_MSI, PATH_SIGNAL);

	if (why)
		return why;
	cpu_init_signals();
	memset(&cpu, 0, sizeof(cpu));
	cpu_start(&cpu, 0, &ops, NULL);
	return NULL;
}

static void signal_end(void)
{
	cpu_stop(&cpu);
	machine_end();
}

static void raise_one(unsigned int i)
{
	cpu_raise(&cpu, i);
}

static bool time_raises(uint64_t *ns)
{
	return time_batch(raise_one, ns);
}

const struct inject_path inject_signal = {
	.name = "signal",
	.begin = signal_begin,
	.end = signal_end,
	.time = time_raises,
};
