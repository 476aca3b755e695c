/* SPDX-License-Identifier: MIT */
/*
 * An irqfd: an eventfd bound to a gsi.  Owns a copy of the gsi's route, which
 * the wake-up reads under a seqcount, so that it follows no table.  The copy is
 * written under irqfds_lock.
 *
 * The wake-up may run in a handler, which may have interrupted anything but the
 * copy's writer on its own CPU, for that has interrupts off.  The writer may
 * still be stopped on another CPU, so a handler does not wait for it: after a
 * few tries it leaves the event to the worker.
 */
#include "counters.h"
#include "cpu.h"
#include "hub.h"
#include "resampler.h"
#include "vm.h"

#include <seqcount/seqcount.h>

#include <errno.h>
#include <stdlib.h>

#define COPY_TRIES 4

struct irqfd {
	/* Constant. */
	struct vm *vm;
	struct hub_event *event;
	struct hub_waiter waiter;
	unsigned int gsi;
	enum path path;
	struct resample resample; /* its event is NULL: the line is pulsed, not held */

	/* Written under irqfds_lock, read by the wake-up. */
	seqcount_mutex_t sequence;
	struct route route;
	uint32_t active;

	/* Under irqfds_lock. */
	struct irqfd *next;

	/* The worker's. */
	struct work inject;
	struct work shutdown;
	struct work release;
};

static void account(struct irqfd *irqfd, enum delivery delivery)
{
	if (delivery == DELIVERY_PENDING)
		count(path[irqfd->path].delivered);
	else if (delivery == DELIVERY_COALESCED)
		count(path[irqfd->path].coalesced);
}

static bool copy_route(struct irqfd *irqfd, struct route *route)
{
	unsigned int start;

	for (int i = 0; i < COPY_TRIES; i++) {
		if (!raw_seqcount_try_begin(&irqfd->sequence, start))
			continue;
		seqcount_load(route, &irqfd->route, sizeof(*route));
		if (!read_seqcount_retry(&irqfd->sequence, start))
			return true;
	}
	return false;
}

static bool is_active(const struct irqfd *irqfd)
{
	return __atomic_load_n(&irqfd->active, __ATOMIC_ACQUIRE);
}

/* Deliver in this context, if the route is one for which that can be done. */
static bool inject_fast(struct irqfd *irqfd)
{
	struct vm *vm = irqfd->vm;
	struct srcu_ctr *token;
	struct route route;
	bool done = false;

	token = srcu_read_lock_fast(&vm->irq_srcu);
	/* An irqfd that is off the list gets no new routes: its copy says nothing. */
	if (is_active(irqfd) && copy_route(irqfd, &route) && route.type == ROUTE_MSI &&
		route.dest != APIC_BROADCAST) {
		account(irqfd, vm_deliver(vm, route.dest, route.vector, false));
		routing_check(vm, irqfd->gsi, &route);
		done = true;
	}
	srcu_read_unlock_fast(&vm->irq_srcu, token);
	return done;
}

static void irqfd_take(struct hub_waiter *waiter, uint64_t n)
{
	struct irqfd *irqfd = container_of(waiter, struct irqfd, waiter);

	if (n > 1)
		count_add(path[irqfd->path].coalesced, n - 1);
	if (inject_fast(irqfd))
		return;
	if (workq_submit(&irqfd->vm->workq, &irqfd->inject))
		count(by_worker);
	else
		count(path[irqfd->path].coalesced);
}

static void irqfd_wake(struct hub_waiter *waiter, bool zero)
{
	struct irqfd *irqfd = container_of(waiter, struct irqfd, waiter);
	uint64_t n = hub_drain(irqfd->event);

	/*
	 * Another wake-up that drained it has yet to look at the route, and delivers
	 * for us too; at the irqfd's end it may have been hub_unhook(), which does not.
	 */
	if (n || zero || !is_active(irqfd))
		irqfd_take(waiter, n);
}

/* The slow path, by the live table. */
static void inject_run(struct work *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, inject);
	struct vm *vm = irqfd->vm;

	if (irqfd->resample.event) {
		account(irqfd, vm_set_irq(vm, SOURCE_RESAMPLE, irqfd->gsi, true));
		return;
	}
	account(irqfd, vm_pulse_irq(vm, SOURCE_USER, irqfd->gsi));
}

static uint32_t irqfds_lock(struct vm *vm)
{
	uint32_t flags = local_irq_save();

	pthread_mutex_lock(&vm->irqfds_lock);
	return flags;
}

static void irqfds_unlock(struct vm *vm, uint32_t flags)
{
	pthread_mutex_unlock(&vm->irqfds_lock);
	local_irq_restore(flags);
}

static void update_route(struct irqfd *irqfd)
{
	struct route routes[NR_CHIPS] = {{.type = ROUTE_NONE}};

	/* An event that goes several ways, or none, is the worker's. */
	if (routing_get(irqfd->vm, irqfd->gsi, routes) != 1)
		routes[0].type = ROUTE_NONE;
	write_seqcount_begin(&irqfd->sequence);
	seqcount_store(&irqfd->route, &routes[0], sizeof(routes[0]));
	write_seqcount_end(&irqfd->sequence);
}

/* Under update_lock, so the table stays. */
void irqfd_update_routes(struct vm *vm)
{
	uint32_t flags = irqfds_lock(vm);

	for (struct irqfd *irqfd = vm->irqfds; irqfd; irqfd = irqfd->next)
		update_route(irqfd);
	irqfds_unlock(vm, flags);
}

static void resample_begin(struct irqfd *irqfd, struct hub_event *event)
{
	if (!event)
		return;
	hub_keep(event);
	irqfd->resample.event = event;
	resampler_join(irqfd->vm, irqfd->gsi, &irqfd->resample);
}

static void resample_end(struct irqfd *irqfd)
{
	if (!irqfd->resample.event)
		return;
	resampler_leave(irqfd->vm, irqfd->gsi, &irqfd->resample);
	hub_drop(irqfd->resample.event);
}

/*
 * Nothing is queued any more and what was has run: the queue is first in, first
 * out, and this was queued after the last wake-up.
 */
static void release_run(struct work *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, release);

	resample_end(irqfd);
	free(irqfd);
}

/* The grace period is for sections that still take the irqfd for active. */
static void shutdown_run(struct work *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, shutdown);

	synchronize_srcu(&irqfd->vm->irq_srcu);
	hub_unhook(irqfd->event);
	workq_submit(&irqfd->vm->workq, &irqfd->release);
}

/* Under irqfds_lock: unlink *@link.  Exactly one caller comes here for an irqfd. */
static void deactivate(struct irqfd **link)
{
	struct irqfd *irqfd = *link;

	*link = irqfd->next;
	__atomic_store_n(&irqfd->active, 0, __ATOMIC_RELEASE);
	workq_submit(&irqfd->vm->workq, &irqfd->shutdown);
}

static void irqfd_hup(struct hub_waiter *waiter)
{
	struct irqfd *gone = container_of(waiter, struct irqfd, waiter);
	struct vm *vm = gone->vm;
	uint32_t flags = irqfds_lock(vm);

	for (struct irqfd **link = &vm->irqfds; *link; link = &(*link)->next) {
		if (*link == gone) {
			deactivate(link);
			break;
		}
	}
	irqfds_unlock(vm, flags);
}

static struct irqfd *irqfd_new(
	struct vm *vm, struct hub_event *event, unsigned int gsi, enum path path)
{
	struct irqfd *irqfd = zalloc(sizeof(*irqfd));

	irqfd->vm = vm;
	irqfd->event = event;
	irqfd->waiter =
		(struct hub_waiter){.take = irqfd_take, .wake = irqfd_wake, .hup = irqfd_hup};
	irqfd->gsi = gsi;
	irqfd->path = path;
	irqfd->active = 1;
	irqfd->inject.run = inject_run;
	irqfd->shutdown.run = shutdown_run;
	irqfd->release.run = release_run;
	seqcount_mutex_init(&irqfd->sequence, &vm->irqfds_lock);
	return irqfd;
}

int irqfd_assign(struct vm *vm, struct hub_event *event, unsigned int gsi,
	struct hub_event *resample, enum path path)
{
	struct irqfd *irqfd = irqfd_new(vm, event, gsi, path);
	struct srcu_ctr *token;
	uint32_t flags;
	int error;

	resample_begin(irqfd, resample);
	/* The section keeps the table, and the irqfd from a hang-up before it is listed. */
	token = srcu_read_lock_fast(&vm->irq_srcu);
	flags = irqfds_lock(vm);
	update_route(irqfd);
	error = hub_hook(event, &irqfd->waiter);
	if (!error) {
		irqfd->next = vm->irqfds;
		vm->irqfds = irqfd;
	}
	irqfds_unlock(vm, flags);
	/* What was signalled before; its count stays until the next event. */
	if (!error && hub_ready(event))
		workq_submit(&vm->workq, &irqfd->inject);
	srcu_read_unlock_fast(&vm->irq_srcu, token);
	if (error) {
		resample_end(irqfd);
		free(irqfd);
	}
	return error;
}

int irqfd_deassign(struct vm *vm, struct hub_event *event, unsigned int gsi)
{
	uint32_t flags = irqfds_lock(vm);
	struct irqfd **link = &vm->irqfds;

	while (*link) {
		if ((*link)->event == event && (*link)->gsi == gsi)
			deactivate(link);
		else
			link = &(*link)->next;
	}
	irqfds_unlock(vm, flags);
	vm_settle(vm);
	return 0;
}

void irqfd_release(struct vm *vm)
{
	uint32_t flags = irqfds_lock(vm);

	while (vm->irqfds)
		deactivate(&vm->irqfds);
	irqfds_unlock(vm, flags);
	vm_settle(vm);
}
