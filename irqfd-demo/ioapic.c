/* SPDX-License-Identifier: MIT */
/*
 * The IOAPIC; ioapic.h says what it is.
 */
#include "ioapic.h"

#include "counters.h"
#include "resampler.h"
#include "vm.h"

void ioapic_init(struct ioapic *ioapic)
{
	for (unsigned int pin = 0; pin < NR_PINS; pin++)
		ioapic->pin[pin].masked = true;
}

/* Send @pin's vector if it may be sent now. */
static enum delivery service(struct vm *vm, unsigned int pin)
{
	struct ioapic_pin *p = &vm->ioapic.pin[pin];
	enum delivery delivery;

	if (p->masked || (p->level && p->remote_irr))
		return DELIVERY_NOBODY;
	if (!p->level)
		vm->ioapic.delivered |= 1u << pin;
	delivery = vm_deliver(vm, p->dest, p->vector, p->level);
	/* Where nobody can refuse it the vector counts as sent. */
	if (p->level && delivery != DELIVERY_NONE)
		p->remote_irr = true;
	return delivery;
}

static enum delivery raise_line(struct vm *vm, unsigned int pin)
{
	struct ioapic *ioapic = &vm->ioapic;
	uint32_t bit = 1u << pin;
	bool was_up = ioapic->irr & bit;

	ioapic->irr |= bit;
	if (!ioapic->pin[pin].level) {
		ioapic->delivered &= ~bit;
		if (was_up)
			return DELIVERY_HELD;
	}
	return service(vm, pin);
}

enum delivery ioapic_set_line(struct vm *vm, unsigned int pin, unsigned int source, bool level)
{
	struct ioapic_pin *p = &vm->ioapic.pin[pin];
	uint32_t bit = 1u << source;

	p->sources = level ? p->sources | bit : p->sources & ~bit;
	if (p->sources)
		return raise_line(vm, pin);
	vm->ioapic.irr &= ~(1u << pin);
	return DELIVERY_LINE;
}

void ioapic_redirect(struct vm *vm, unsigned int pin, const struct ioapic_pin *to)
{
	uint32_t flags = chips_lock(vm);
	struct ioapic *ioapic = &vm->ioapic;
	struct ioapic_pin *p = &ioapic->pin[pin];
	uint32_t up = ioapic->irr & ~ioapic->delivered;

	p->vector = to->vector;
	p->dest = to->dest;
	p->level = to->level;
	p->masked = to->masked;
	p->remote_irr = false;
	ioapic->irr = 0;
	ioapic->delivered = 0;
	for (; up; up &= up - 1)
		raise_line(vm, (unsigned int)__builtin_ctz(up));
	chips_unlock(vm, flags);
}

static uint32_t pins_of(struct vm *vm, unsigned int vector)
{
	uint32_t flags = chips_lock(vm), pins = 0;

	for (unsigned int pin = 0; pin < NR_PINS; pin++)
		if (vm->ioapic.pin[pin].vector == vector)
			pins |= 1u << pin;
	chips_unlock(vm, flags);
	return pins;
}

static void level_eoi(struct vm *vm, unsigned int pin)
{
	uint32_t flags = chips_lock(vm);

	vm->ioapic.pin[pin].remote_irr = false;
	/* Raised while the service lasted: it counted as nothing then. */
	if (vm->ioapic.pin[pin].level && vm->ioapic.irr & 1u << pin &&
		service(vm, pin) == DELIVERY_PENDING)
		count(path[PATH_LEVEL].delivered);
	chips_unlock(vm, flags);
}

/* The resamplers are told without the lock, for they lower the line. */
void ioapic_eoi(struct vm *vm, unsigned int vector, bool level)
{
	uint32_t pins;

	if (!level && !resampler_any(vm))
		return;
	for (pins = pins_of(vm, vector); pins; pins &= pins - 1) {
		unsigned int pin = (unsigned int)__builtin_ctz(pins);

		resampler_ack(vm, pin);
		if (level)
			level_eoi(vm, pin);
	}
}

void ioapic_look(struct vm *vm, unsigned int pin, bool *irr, bool *remote_irr)
{
	uint32_t flags = chips_lock(vm);

	*irr = (vm->ioapic.irr & ~vm->ioapic.delivered) & 1u << pin;
	*remote_irr = vm->ioapic.pin[pin].remote_irr;
	chips_unlock(vm, flags);
}
