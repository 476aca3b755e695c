/* SPDX-License-Identifier: MIT */
/*
 * Two threads that inject at the same time, as two CPUs do that send each other
 * interrupts: each tells in a mailbox the number of its last event, and the other
 * looks there whenever it takes the vector.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "bench/inject.h"
#include "bench/shim.h"
#include "irqfd-demo/counters.h"
#include "irqfd-demo/hub.h"
#include "irqfd-demo/vm.h"

static struct side {
	/* Written by this side. */
	uint64_t raised __attribute__((aligned(128)));
	uint64_t seen; /* of what the other raised */

	/* Constant while the sides run. */
	struct hub_event *event __attribute__((aligned(128)));
	struct side *other;
	struct lapic *lapic; /* where the other's vector comes */
	uint64_t n;
} sides[2];

static struct vm vm;
static pthread_barrier_t barrier;

static void take(struct cpu *nobody, unsigned int vector)
{
	unsigned int to = vector - INJECT_VECTOR;

	(void)nobody;
	sides[to].seen = __atomic_load_n(&sides[to].other->raised, __ATOMIC_ACQUIRE);
}

static void inject_all(struct side *side)
{
	unsigned int vector = INJECT_VECTOR + (unsigned int)(side - sides);

	for (uint64_t i = 1; i <= side->n; i++) {
		/* Release: who finds the vector finds the number. */
		__atomic_store_n(&side->raised, i, __ATOMIC_RELEASE);
		if (hub_signal(side->event, 1))
			die(0, "cannot signal an eventfd");
		if (lapic_pending(side->lapic, vector))
			lapic_serve(side->lapic, take, NULL);
	}
}

/* Returns the time from when both begin until both have injected all. */
static uint64_t run_side(struct side *side)
{
	uint64_t began;

	pthread_barrier_wait(&barrier);
	began = clock_ns();
	inject_all(side);
	pthread_barrier_wait(&barrier);
	lapic_serve(side->lapic, take, NULL);
	return clock_ns() - began;
}

static void *run_beside(void *unused)
{
	pin_beside();
	run_side(&sides[1]);
	return unused;
}

void inject_both_begin(void)
{
	struct route_entry entries[2];

	for (unsigned int i = 0; i < 2; i++) {
		sides[i].event = hub_open(0, 0);
		if (!sides[i].event)
			die(errno, "cannot make an eventfd");
	}
	if (!counters)
		counters_init();
	pin_off_readers();
	vm_init(&vm, IRQCHIP_FULL, 2);
	for (unsigned int i = 0; i < 2; i++)
		entries[i] = (struct route_entry){.gsi = i,
			.route = {.type = ROUTE_MSI, .dest = !i, .vector = INJECT_VECTOR + !i}};
	if (routing_set(&vm, entries, 2))
		die(0, "cannot set the routes");
	for (unsigned int i = 0; i < 2; i++) {
		sides[i].other = &sides[!i];
		sides[i].lapic = &vm.lapics[i];
		if (irqfd_assign(&vm, sides[i].event, i, NULL, PATH_DIRECT))
			die(0, "cannot bind an eventfd");
	}
	pthread_barrier_init(&barrier, NULL, 2);
}

void inject_both_end(void)
{
	pthread_barrier_destroy(&barrier);
	for (unsigned int i = 0; i < 2; i++) {
		irqfd_deassign(&vm, sides[i].event, i);
		hub_close(sides[i].event);
	}
	if (vm_end(&vm))
		die(0, "a machine had readers left at its end");
}

static bool all_seen(void)
{
	return sides[0].seen == sides[1].raised && sides[1].seen == sides[0].raised;
}

bool inject_both(uint64_t n, struct inject_tally *tally)
{
	const struct path_counters *counts = &counters->path[PATH_DIRECT];
	uint64_t delivered = percpu_sum(&counts->delivered);
	uint64_t coalesced = percpu_sum(&counts->coalesced);
	pthread_t beside;

	sides[0].n = n;
	sides[1].n = n;
	if (pthread_create(&beside, NULL, run_beside, NULL))
		die(0, "no thread to be had");
	tally->ns = run_side(&sides[0]);
	pthread_join(beside, NULL);
	tally->injected = 2 * n;
	delivered = percpu_sum(&counts->delivered) - delivered;
	tally->coalesced = percpu_sum(&counts->coalesced) - coalesced;
	return all_seen() && delivered + tally->coalesced == tally->injected;
}
