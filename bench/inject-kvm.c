/* SPDX-License-Identifier: MIT */
/*
 * The way through KVM: writes to eventfds that are bound to a machine's MSIs.  No
 * guest runs, so the vectors stay until they are cleared.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/inject.h"
#include "bench/shim.h"
#include "irqfd-demo/demo.h"
#include "irqfd-demo/kvm.h"

static struct world *world;
static char all_pending[OUTCOME_SIZE];

static void expect(const struct step *step, const char *expected)
{
	char outcome[OUTCOME_SIZE];

	kvm_backend.run(world, step, expected, outcome);
	if (strcmp(outcome, expected) != 0)
		die(0, "KVM: %s and not %s", outcome, expected);
}

static void begin_machine(void)
{
	struct step_route routes[INJECT_BATCH];
	size_t used = 0;

	for (unsigned int i = 0; i < INJECT_BATCH; i++) {
		routes[i] = (struct step_route){
			.type = STEP_ROUTE_MSI, .gsi = i, .vector = INJECT_VECTOR + i};
		used += (size_t)snprintf(all_pending + used, sizeof(all_pending) - used,
			"%s0:0x%02x", i ? " " : "", INJECT_VECTOR + i);
	}
	expect(&(struct step){.op = OP_VM, .chip = CHIP_FULL, .number = 1}, "0");
	expect(&(struct step){.op = OP_ROUTE, .routes = routes, .nr_routes = INJECT_BATCH}, "0");
	for (unsigned int i = 0; i < INJECT_BATCH; i++) {
		expect(&(struct step){.op = OP_EVENT, .event = i}, "0");
		expect(&(struct step){.op = OP_ASSIGN, .event = i, .gsi = i}, "0");
	}
}

static const char *begin(void)
{
	const char *why = NULL;

	world = kvm_backend.begin(&why);
	if (!world)
		return why;
	begin_machine();
	return NULL;
}

static void end(void)
{
	kvm_backend.end(world);
}

static bool time_writes(uint64_t *ns)
{
	static const struct step show = {.op = OP_SHOW_IRR}, clear = {.op = OP_CLEAR};
	static const uint64_t one = 1;
	uint64_t began = clock_ns();
	char outcome[OUTCOME_SIZE];

	for (unsigned int i = 0; i < INJECT_BATCH; i++)
		if (write(kvm_event_fd(world, i), &one, sizeof(one)) != (ssize_t)sizeof(one))
			return false;
	*ns = clock_ns() - began;
	kvm_backend.run(world, &show, all_pending, outcome);
	if (strcmp(outcome, all_pending) != 0)
		return false;
	expect(&clear, "0");
	return true;
}

const struct inject_path inject_kvm = {
	.name = "kvm",
	.begin = begin,
	.end = end,
	.time = time_writes,
};
