/* SPDX-License-Identifier: MIT */
/*
 * The demo's own tables, which routing_set() checks, and sorts by gsi, and of which
 * each irqfd gets a copy of its route.  An injection is a signal of an eventfd.
 */
#include <errno.h>

#include "bench/swap-table.h"
#include "bench/swap.h"
#include "irqfd-demo/counters.h"
#include "irqfd-demo/hub.h"

DEFINE_STATIC_SRCU(sleepers_domain);

static struct vm vm;
static struct hub_event *event;
static struct route_entry entries[MAX_ROUTES];

static void swap(size_t nr)
{
	if (routing_set(&vm, entries, nr))
		die(0, "cannot set the routes");
}

static void begin(size_t nr)
{
	for (unsigned int i = 0; i < MAX_ROUTES; i++)
		entries[i] = (struct route_entry){
			.gsi = i, .route = {.type = ROUTE_MSI, .vector = SWAP_VECTOR}};
	if (!counters)
		counters_init();
	vm_init(&vm, IRQCHIP_FULL, 1);
	swap(nr);
	event = hub_open(0, 0);
	if (!event || irqfd_assign(&vm, event, 0, NULL, PATH_DIRECT))
		die(errno, "cannot bind an eventfd");
}

static void end(void)
{
	irqfd_deassign(&vm, event, 0);
	hub_close(event);
	if (vm_end(&vm))
		die(0, "a machine had readers left at its end");
}

static unsigned long inject(long n)
{
	uint64_t *irr = &vm.lapics[0].irr[SWAP_VECTOR / 64];
	unsigned long bad = 0;

	while (n--) {
		bad += hub_signal(event, 1) != 0;
		__atomic_exchange_n(irr, 0, __ATOMIC_ACQUIRE);
	}
	return bad;
}

static void sleep_in_section(void (*sleep)(void))
{
	struct srcu_ctr *token = srcu_read_lock_fast(&sleepers_domain);

	sleep();
	srcu_read_unlock_fast(&sleepers_domain, token);
}

const struct swap_peer swap_model = {
	.name = "model",
	.begin = begin,
	.end = end,
	.swap = swap,
	.inject = inject,
	.round = sleep_in_section,
};
