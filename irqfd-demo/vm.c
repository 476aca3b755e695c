/* SPDX-License-Identifier: MIT */
/*
 * The machine as a whole, and how an interrupt gets to its controllers; vm.h has
 * the contract.
 */
#include "vm.h"

#include "cpu.h"
#include "memslots.h"

#include <srcu/percpu.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void create_chips(struct vm *vm)
{
	ioapic_init(&vm->ioapic);
	routing_set_default(vm);
}

void vm_init(struct vm *vm, enum irqchip irqchip, unsigned int nr_cpus)
{
	int error;

	memset(vm, 0, sizeof(*vm));
	error = init_srcu_struct_with(&vm->irq_srcu, &(struct srcu_options){.name = "irq_srcu"});
	if (error)
		die(-error, "cannot initialise the domain");
	vm->wait = synchronize_srcu_expedited;
	vm->irqchip = irqchip;
	vm->nr_cpus = nr_cpus;
	vm->lapics = zalloc(nr_cpus * sizeof(vm->lapics[0]));
	for (unsigned int i = 0; i < nr_cpus; i++) {
		vm->lapics[i].vm = vm;
		lapic_enable(&vm->lapics[i], true);
	}
	vm->memory = memory_create();
	pthread_mutex_init(&vm->update_lock, NULL);
	pthread_mutex_init(&vm->irqfds_lock, NULL);
	pthread_mutex_init(&vm->resampler_lock, NULL);
	pthread_mutex_init(&vm->chips_lock, NULL);
	INIT_SRCU_LIST_HEAD(&vm->resamplers);
	workq_start(&vm->workq);
	if (irqchip == IRQCHIP_FULL)
		create_chips(vm);
}

int vm_end(struct vm *vm)
{
	int error, memory_error;

	if (vm->switches.irqfds_left) {
		__atomic_store_n(&vm->gone, 1, __ATOMIC_RELAXED);
		return 0;
	}
	irqfd_release(vm);
	workq_stop(&vm->workq);
	routing_free(vm);
	memory_error = memory_destroy(vm->memory);
	pthread_mutex_destroy(&vm->chips_lock);
	pthread_mutex_destroy(&vm->resampler_lock);
	pthread_mutex_destroy(&vm->irqfds_lock);
	pthread_mutex_destroy(&vm->update_lock);
	free(vm->lapics);
	error = cleanup_srcu_struct(&vm->irq_srcu);
	return error ? error : memory_error;
}

int vm_create_irqchip(struct vm *vm)
{
	if (vm->irqchip != IRQCHIP_NONE)
		return -EEXIST;
	/* A CPU gets its local APIC when it is made. */
	if (vm->nr_cpus > 0)
		return -EINVAL;
	vm->irqchip = IRQCHIP_FULL;
	create_chips(vm);
	return 0;
}

void vm_settle(struct vm *vm)
{
	workq_flush(&vm->workq); /* a shutdown has run, and queued the release */
	workq_flush(&vm->workq); /* the release has run */
}

enum delivery vm_deliver(struct vm *vm, unsigned int dest, unsigned int vector, bool level)
{
	enum delivery most = vm->nr_cpus ? DELIVERY_NONE : DELIVERY_NOBODY;

	for (unsigned int i = 0; i < vm->nr_cpus; i++) {
		enum delivery delivery;

		if (dest != i && dest != APIC_BROADCAST)
			continue;
		delivery = lapic_accept(&vm->lapics[i], vector, level);
		if (delivery > most)
			most = delivery;
	}
	return most;
}

uint32_t chips_lock(struct vm *vm)
{
	uint32_t flags = local_irq_save();

	pthread_mutex_lock(&vm->chips_lock);
	return flags;
}

void chips_unlock(struct vm *vm, uint32_t flags)
{
	pthread_mutex_unlock(&vm->chips_lock);
	local_irq_restore(flags);
}

static enum delivery set_route(
	struct vm *vm, const struct route *route, enum irq_source source, bool level)
{
	enum delivery delivery;
	uint32_t flags;

	if (route->type == ROUTE_MSI)
		return level ? vm_deliver(vm, route->dest, route->vector, false) : DELIVERY_NOBODY;
	flags = chips_lock(vm);
	if (route->chip == CHIP_IOAPIC)
		delivery = ioapic_set_line(vm, route->pin, source, level);
	else
		delivery = pic_set_line(&vm->pic, route->chip, route->pin, source, level);
	chips_unlock(vm, flags);
	return delivery;
}

/* As the lock once was.  The unlock has always been safe against interrupts. */
static struct srcu_ctr *plain_lock(struct vm *vm)
{
	struct srcu_ctr *token = srcu_read_lock_fast(&vm->irq_srcu);
	uint64_t locks;

	srcu_read_unlock_fast(&vm->irq_srcu, token);
	locks = __this_cpu_read(token->srcu_locks);
	vm_window(vm, WINDOW_LOCK);
	__this_cpu_write(token->srcu_locks, locks + 1);
	return token;
}

static struct srcu_ctr *lock(struct vm *vm)
{
	if (vm->switches.plain_lock)
		return plain_lock(vm);
	vm_window(vm, WINDOW_LOCK);
	return srcu_read_lock_fast(&vm->irq_srcu);
}

static enum delivery set_routes(struct vm *vm, unsigned int gsi, const struct route *routes,
	unsigned int nr, enum irq_source source, bool level)
{
	enum delivery most = DELIVERY_NOBODY;

	for (unsigned int i = 0; i < nr; i++) {
		enum delivery delivery = set_route(vm, &routes[i], source, level);

		if (delivery > most)
			most = delivery;
		routing_check(vm, gsi, &routes[i]);
	}
	return most;
}

enum delivery vm_set_irq(struct vm *vm, enum irq_source source, unsigned int gsi, bool level)
{
	struct srcu_ctr *token = lock(vm);
	struct route routes[NR_CHIPS];
	unsigned int nr = routing_get(vm, gsi, routes);
	enum delivery delivery = set_routes(vm, gsi, routes, nr, source, level);

	srcu_read_unlock_fast(&vm->irq_srcu, token);
	return delivery;
}

enum delivery vm_pulse_irq(struct vm *vm, enum irq_source source, unsigned int gsi)
{
	struct srcu_ctr *token = lock(vm);
	struct route routes[NR_CHIPS];
	unsigned int nr = routing_get(vm, gsi, routes);
	enum delivery delivery = set_routes(vm, gsi, routes, nr, source, true);

	set_routes(vm, gsi, routes, nr, source, false);
	srcu_read_unlock_fast(&vm->irq_srcu, token);
	return delivery;
}
