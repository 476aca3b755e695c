/* SPDX-License-Identifier: MIT */
/*
 * An irqfd: an eventfd bound to a gsi.  Owns a copy of the gsi's route, which
 * the wake-up reads under a seqcount, so that it follows no table.  The copy is
 * written under irqfds_lock.  It can be made to follow a pointer into the table
 * instead, as KVM's once did.
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

#define COPY_TRIES  4
#define STUCK_TRIES 1000000 /* what stands for ever */

struct irqfd {
	/* Constant. */
	struct vm *vm;
	struct hub_event *event;
	struct hub_waiter waiter;
	unsigned int gsi;
	enum path path;
	struct resample resample; /* its event is NULL: the line is pulsed, not held */
	struct srcu_struct *srcu; /* in which the route is read: the machine's or own */
	struct srcu_struct own;

	/* Written under irqfds_lock, read by the wake-up. */
	seqcount_mutex_t sequence;
	struct route route;
	const struct route *entry; /* instead of the copy; NULL for the worker's */
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
	else if (delivery == DELIVERY_COALESCED || delivery == DELIVERY_HELD)
		count(path[irqfd->path].coalesced);
}

static bool copy_route(struct irqfd *irqfd, struct route *route)
{
	const struct vm_switches *switches = &irqfd->vm->switches;
	int tries = switches->wait_for_writer ? STUCK_TRIES : COPY_TRIES;
	unsigned int start;

	if (switches->no_sequence) {
		seqcount_load(route, &irqfd->route, sizeof(*route));
		return true;
	}
	for (int i = 0; i < tries; i++) {
		if (!raw_seqcount_try_begin(&irqfd->sequence, start))
			continue;
		seqcount_load(route, &irqfd->route, sizeof(*route));
		if (!read_seqcount_retry(&irqfd->sequence, start))
			return true;
	}
	if (switches->wait_for_writer)
		count(stuck);
	return false;
}

/* The entry that was found is an MSI's, so that its type need not be looked at. */
static bool follow_pointer(struct irqfd *irqfd, struct route *route)
{
	const struct route *entry = srcu_dereference(irqfd->entry, irqfd->srcu);

	vm_window(irqfd->vm, WINDOW_ROUTE);
	if (!entry)
		return false;
	*route = *entry;
	return true;
}

/* The irqfd's route, if it is one for which the worker is not needed.  In a section. */
static bool find_route(struct irqfd *irqfd, struct route *route)
{
	bool found;

	if (irqfd->vm->switches.route_by_pointer)
		return follow_pointer(irqfd, route);
	found = copy_route(irqfd, route) && route->type == ROUTE_MSI;
	vm_window(irqfd->vm, WINDOW_ROUTE);
	return found;
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

	if (vm->switches.no_fast_path)
		return false;
	token = srcu_read_lock_fast(irqfd->srcu);
	/* An irqfd that is off the list gets no new routes: its copy says nothing. */
	if (is_active(irqfd) && find_route(irqfd, &route) && route.dest != APIC_BROADCAST) {
		account(irqfd, vm_deliver(vm, route.dest, route.vector, false));
		routing_check(vm, irqfd->gsi, &route);
		done = true;
	}
	srcu_read_unlock_fast(irqfd->srcu, token);
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

	if (__atomic_load_n(&irqfd->vm->gone, __ATOMIC_RELAXED)) {
		count(after_end);
		return;
	}
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
	/* local_irq_restore() has nothing to do for who found them off already. */
	uint32_t flags = vm->switches.irqs_on ? 1 : local_irq_save();

	pthread_mutex_lock(&vm->irqfds_lock);
	return flags;
}

static void irqfds_unlock(struct vm *vm, uint32_t flags)
{
	pthread_mutex_unlock(&vm->irqfds_lock);
	local_irq_restore(flags);
}

static void write_copy(struct irqfd *irqfd, const struct route *route)
{
	const size_t half = offsetof(struct route, vector);

	write_seqcount_begin(&irqfd->sequence);
	seqcount_store(&irqfd->route, route, half);
	vm_window(irqfd->vm, WINDOW_COPY);
	seqcount_store(
		(char *)&irqfd->route + half, (const char *)route + half, sizeof(*route) - half);
	write_seqcount_end(&irqfd->sequence);
}

static void update_route(struct irqfd *irqfd)
{
	const struct vm_switches *switches = &irqfd->vm->switches;
	unsigned int nr;
	const struct route *entry = routing_find(irqfd->vm, irqfd->gsi, &nr);
	/* An event that goes several ways, or none, is the worker's. */
	bool single = nr == 1;

	if (!switches->route_by_pointer)
		write_copy(irqfd, single ? entry : &(struct route){.type = ROUTE_NONE});
	else if (single && entry->type == ROUTE_MSI)
		srcu_assign_pointer(irqfd->entry, entry);
	else if (!switches->keep_pointer || !entry || nr)
		srcu_assign_pointer(irqfd->entry, NULL);
}

/* Under update_lock, so the table stays. */
void irqfd_update_routes(struct vm *vm)
{
	uint32_t flags = irqfds_lock(vm);

	for (struct irqfd *irqfd = vm->irqfds; irqfd; irqfd = irqfd->next)
		update_route(irqfd);
	irqfds_unlock(vm, flags);
}

/* Those that are off the list are the worker's, which waits for their readers. */
void irqfd_wait_for_readers(struct vm *vm)
{
	uint32_t flags = irqfds_lock(vm);

	for (struct irqfd *irqfd = vm->irqfds; irqfd; irqfd = irqfd->next)
		vm->wait(irqfd->srcu);
	irqfds_unlock(vm, flags);
	workq_flush(&vm->workq);
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

static void irqfd_free(struct irqfd *irqfd)
{
	resample_end(irqfd);
	if (irqfd->srcu == &irqfd->own && cleanup_srcu_struct(&irqfd->own))
		die(0, "an irqfd's domain has a reader left");
	__atomic_fetch_sub(&irqfd->vm->nr_irqfds, 1, __ATOMIC_RELAXED);
	free(irqfd);
}

/*
 * Nothing is queued any more and what was has run: the queue is first in, first
 * out, and this was queued after the last wake-up.
 */
static void release_run(struct work *work)
{
	irqfd_free(container_of(work, struct irqfd, release));
	count(released);
}

/* The grace period is for sections that still take the irqfd for active. */
static void shutdown_run(struct work *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, shutdown);

	synchronize_srcu(irqfd->srcu);
	hub_unhook(irqfd->event);
	workq_submit(&irqfd->vm->workq, &irqfd->release);
}

/* Under irqfds_lock.  Exactly one caller comes here for an irqfd: who has unlinked it. */
static void deactivate(struct irqfd *irqfd)
{
	if (!irqfd->active) {
		count(ended_twice);
		return;
	}
	__atomic_store_n(&irqfd->active, 0, __ATOMIC_RELEASE);
	workq_submit(&irqfd->vm->workq, &irqfd->shutdown);
}

/* Under irqfds_lock. */
static struct irqfd *unlink_irqfd(struct irqfd **link)
{
	struct irqfd *irqfd = *link;

	*link = irqfd->next;
	return irqfd;
}

/* Under irqfds_lock: unlink @irqfd, unless somebody has. */
static bool claim(struct irqfd *irqfd)
{
	for (struct irqfd **link = &irqfd->vm->irqfds; *link; link = &(*link)->next) {
		if (*link == irqfd) {
			unlink_irqfd(link);
			return true;
		}
	}
	return false;
}

static void irqfd_hup(struct hub_waiter *waiter)
{
	struct irqfd *irqfd = container_of(waiter, struct irqfd, waiter);
	struct vm *vm = irqfd->vm;
	uint32_t flags;

	if (vm->switches.no_hup)
		return;
	vm_window(vm, WINDOW_HUP);
	flags = irqfds_lock(vm);
	if (claim(irqfd) || vm->switches.no_claim)
		deactivate(irqfd);
	irqfds_unlock(vm, flags);
}

/* The domain in which the route is read. */
static void domain_begin(struct irqfd *irqfd)
{
	int error;

	irqfd->srcu = &irqfd->vm->irq_srcu;
	if (!irqfd->vm->switches.domain_per_irqfd)
		return;
	error = init_srcu_struct_with(&irqfd->own, &(struct srcu_options){.name = "irqfd"});
	if (error)
		die(-error, "cannot initialise an irqfd's domain");
	irqfd->srcu = &irqfd->own;
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
	domain_begin(irqfd);
	__atomic_fetch_add(&vm->nr_irqfds, 1, __ATOMIC_RELAXED);
	return irqfd;
}

int irqfd_assign(struct vm *vm, struct hub_event *event, unsigned int gsi,
	struct hub_event *resample, enum path path)
{
	struct irqfd *irqfd = irqfd_new(vm, event, gsi, path);
	struct srcu_ctr *table, *token;
	uint32_t flags;
	int error;

	resample_begin(irqfd, resample);
	/* One section keeps the table, the other the irqfd from its end while it begins. */
	table = srcu_read_lock_fast(&vm->irq_srcu);
	token = srcu_read_lock_fast(irqfd->srcu);
	flags = irqfds_lock(vm);
	update_route(irqfd);
	error = hub_hook(event, &irqfd->waiter);
	if (!error) {
		irqfd->next = vm->irqfds;
		vm->irqfds = irqfd;
	}
	irqfds_unlock(vm, flags);
	if (!error)
		count(assigned);
	/* What was signalled before; its count stays until the next event. */
	if (!error && hub_ready(event))
		workq_submit(&vm->workq, &irqfd->inject);
	srcu_read_unlock_fast(irqfd->srcu, token);
	srcu_read_unlock_fast(&vm->irq_srcu, table);
	if (error)
		irqfd_free(irqfd);
	return error;
}

int irqfd_deassign(struct vm *vm, struct hub_event *event, unsigned int gsi)
{
	uint32_t flags = irqfds_lock(vm);
	struct irqfd **link = &vm->irqfds;

	while (*link) {
		if ((*link)->event == event && (*link)->gsi == gsi)
			deactivate(unlink_irqfd(link));
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
		deactivate(unlink_irqfd(&vm->irqfds));
	irqfds_unlock(vm, flags);
	vm_settle(vm);
}
