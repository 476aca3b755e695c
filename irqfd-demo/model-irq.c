/* SPDX-License-Identifier: MIT */
/*
 * The model's half of a scenario's steps that is about interrupts: a machine's
 * calls with their errors, in the order in which KVM looks for them.
 */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* As in struct kvm_irqfd. */
#define IRQFD_DEASSIGN 1u
#define IRQFD_RESAMPLE 2u

static int assign(struct vm *vm, const struct step *step, uint32_t flags)
{
	struct hub_event *event, *resample = NULL;
	bool resamples = flags & IRQFD_RESAMPLE;
	int error;

	if (vm->irqchip == IRQCHIP_NONE || (resamples && vm->irqchip != IRQCHIP_FULL))
		return -EINVAL;
	error = model_event(vm, step->event, &event);
	if (!error && resamples)
		error = model_event(vm, step->other, &resample);
	return error ? error : irqfd_assign(vm, event, step->gsi, resample, PATH_DIRECT);
}

static int run_irqfd(struct vm *vm, const struct step *step)
{
	uint32_t flags = step->flags | (step->has_other ? IRQFD_RESAMPLE : 0) |
			 (step->op == OP_DEASSIGN ? IRQFD_DEASSIGN : 0);
	struct hub_event *event;
	int error;

	if (flags & ~(IRQFD_DEASSIGN | IRQFD_RESAMPLE))
		return -EINVAL;
	if (!(flags & IRQFD_DEASSIGN))
		return assign(vm, step, flags);
	error = model_event(vm, step->event, &event);
	return error ? error : irqfd_deassign(vm, event, step->gsi);
}

static struct route_entry route_of(const struct step_route *from)
{
	struct route_entry entry = {.gsi = from->gsi, .flags = from->flags};
	struct route *route = &entry.route;

	switch (from->type) {
	case STEP_ROUTE_MSI:
		route->type = ROUTE_MSI;
		route->dest = from->dest;
		route->vector = from->vector;
		break;
	case STEP_ROUTE_CHIP:
		route->type = ROUTE_CHIP;
		route->chip = from->chip;
		route->pin = from->pin;
		break;
	case STEP_ROUTE_RAW:
		route->type = from->chip;
		break;
	}
	return entry;
}

static int run_route(struct vm *vm, const struct step *step)
{
	struct route_entry *entries;
	int error;

	if (vm->irqchip == IRQCHIP_NONE || step->nr_routes > MAX_ROUTES || step->flags)
		return -EINVAL;
	if (step->cut && step->nr_routes > 0)
		return -EFAULT;
	entries = zalloc((step->nr_routes + 1) * sizeof(entries[0]));
	for (size_t i = 0; i < step->nr_routes; i++)
		entries[i] = route_of(&step->routes[i]);
	error = routing_set(vm, entries, step->nr_routes);
	free(entries);
	return error;
}

static int run_line(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE])
{
	static const char *const status[] = {
		[DELIVERY_NOBODY] = "ignored",
		[DELIVERY_NONE] = "coalesced",
		[DELIVERY_HELD] = "coalesced",
		[DELIVERY_LINE] = "delivered",
		[DELIVERY_COALESCED] = "delivered", /* for the APIC has it, if once */
		[DELIVERY_PENDING] = "delivered",
	};
	enum delivery delivery;

	if (vm->irqchip == IRQCHIP_NONE)
		return -ENXIO;
	delivery = vm_set_irq(vm, SOURCE_USER, step->gsi, step->number != 0);
	snprintf(outcome, OUTCOME_SIZE, "%s", step->status ? status[delivery] : "0");
	return 0;
}

static int run_msi(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE])
{
	enum delivery delivery;

	if (vm->irqchip == IRQCHIP_NONE || step->flags & ~ROUTE_MSI_DEVID)
		return -EINVAL;
	delivery = vm_deliver(vm, step->cpu, step->vector, false);
	/* Without a CPU the call's result is -1, which reads as an errno. */
	if (delivery == DELIVERY_NOBODY)
		return -EPERM;
	snprintf(outcome, OUTCOME_SIZE, "%s", delivery == DELIVERY_NONE ? "dropped" : "delivered");
	return 0;
}

static int run_ioapic(struct vm *vm, const struct step *step)
{
	const struct step_redirection *to = &step->redirection;
	struct ioapic_pin pin = {
		.vector = to->vector, .dest = to->dest, .level = to->level, .masked = to->masked};

	if (vm->irqchip != IRQCHIP_FULL)
		return -ENXIO;
	ioapic_redirect(vm, step->pin, &pin);
	return 0;
}

/* Local APICs are asked one by one; without an irqchip CPUs have none. */
static int lapics_error(struct vm *vm)
{
	return vm->irqchip == IRQCHIP_NONE && vm->nr_cpus > 0 ? -EINVAL : 0;
}

static int run_apic(struct vm *vm, const struct step *step)
{
	int error = lapics_error(vm);

	if (!error)
		lapic_enable(&vm->lapics[step->cpu], step->number != 0);
	return error;
}

static int run_clear(struct vm *vm, const struct step *step)
{
	int error = lapics_error(vm);

	(void)step;
	for (unsigned int i = 0; i < vm->nr_cpus && !error; i++)
		lapic_clear(&vm->lapics[i]);
	return error;
}

/* What fits: a script has far fewer vectors than an outcome has room for. */
static int show_irr(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE])
{
	size_t length = 0;

	(void)step;
	if (lapics_error(vm))
		return lapics_error(vm);
	snprintf(outcome, OUTCOME_SIZE, "none");
	for (unsigned int i = 0; i < vm->nr_cpus * NR_VECTORS && length < OUTCOME_SIZE - 16; i++) {
		unsigned int cpu = i / NR_VECTORS, vector = i % NR_VECTORS;

		if (lapic_pending(&vm->lapics[cpu], vector))
			length += (size_t)snprintf(outcome + length, OUTCOME_SIZE - length,
				"%s%u:0x%02x", length ? " " : "", cpu, vector);
	}
	return 0;
}

static int show_pin(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE])
{
	bool irr, remote_irr;

	if (vm->irqchip != IRQCHIP_FULL)
		return -ENXIO;
	ioapic_look(vm, step->pin, &irr, &remote_irr);
	snprintf(outcome, OUTCOME_SIZE, "irr=%d remote_irr=%d", irr, remote_irr);
	return 0;
}

static int show_pic(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE])
{
	uint32_t flags;

	(void)step;
	if (vm->irqchip != IRQCHIP_FULL)
		return -ENXIO;
	flags = chips_lock(vm);
	snprintf(outcome, OUTCOME_SIZE, "0x%x 0x%x", vm->pic.irr[0], vm->pic.irr[1]);
	chips_unlock(vm, flags);
	return 0;
}

bool model_irq_run(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE])
{
	static int (*const calls[NR_OPS])(struct vm * vm, const struct step *step) = {
		[OP_ASSIGN] = run_irqfd,
		[OP_DEASSIGN] = run_irqfd,
		[OP_ROUTE] = run_route,
		[OP_IOAPIC] = run_ioapic,
		[OP_APIC] = run_apic,
		[OP_CLEAR] = run_clear,
	};
	static int (*const shows[NR_OPS])(
		struct vm * vm, const struct step *step, char outcome[OUTCOME_SIZE]) = {
		[OP_LINE] = run_line,
		[OP_MSI] = run_msi,
		[OP_SHOW_IRR] = show_irr,
		[OP_SHOW_PIN] = show_pin,
		[OP_SHOW_PIC] = show_pic,
	};
	int error;

	if (!calls[step->op] && !shows[step->op])
		return false;
	error = model_argument_error(step);
	if (!error)
		error = calls[step->op] ? calls[step->op](vm, step)
					: shows[step->op](vm, step, outcome);
	if (error || calls[step->op])
		model_tell(outcome, error);
	return true;
}
