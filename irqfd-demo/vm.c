/* SPDX-License-Identifier: MIT */
/*
 * The machine as a whole, its MSIs and its interrupt controller; vm.h has the
 * contract.
 */
#include "vm.h"

#include <stdlib.h>
#include <string.h>

void vm_init(struct vm *vm, struct cpu *cpus, unsigned int nr_cpus)
{
	int error;

	memset(vm, 0, sizeof(*vm));
	error = init_srcu_struct_with(&vm->irq_srcu, &(struct srcu_options){.name = "irq_srcu"});
	if (error)
		die(-error, "cannot initialise the domain");
	vm->cpus = cpus;
	vm->nr_cpus = nr_cpus;
	pthread_mutex_init(&vm->update_lock, NULL);
	pthread_mutex_init(&vm->irqfds_lock, NULL);
	workq_start(&vm->workq);
}

int vm_end(struct vm *vm)
{
	workq_stop(&vm->workq);
	routing_free(vm);
	pthread_mutex_destroy(&vm->irqfds_lock);
	pthread_mutex_destroy(&vm->update_lock);
	return cleanup_srcu_struct(&vm->irq_srcu);
}

enum delivery vm_msi(struct vm *vm, unsigned int dest, unsigned int vector)
{
	if (dest >= vm->nr_cpus || vector >= NR_VECTORS)
		return DELIVERY_NONE;
	return apic_set_irr(&vm->cpus[dest], vector) ? DELIVERY_PENDING : DELIVERY_COALESCED;
}

static enum delivery set_line(struct vm *vm, unsigned int pin, bool level)
{
	struct irqchip *chip = &vm->irqchip;
	uint32_t bit = 1u << pin;
	bool rises = level && !(chip->lines & bit);

	chip->lines = level ? chip->lines | bit : chip->lines & ~bit;
	if (!rises)
		return DELIVERY_NONE;
	return vm_msi(vm, chip->pin[pin].dest, chip->pin[pin].vector);
}

enum delivery irqchip_pulse(struct vm *vm, unsigned int pin)
{
	enum delivery delivery;

	if (pin >= NR_PINS)
		return DELIVERY_NONE;
	delivery = set_line(vm, pin, true);
	set_line(vm, pin, false);
	return delivery;
}
