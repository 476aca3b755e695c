/* SPDX-License-Identifier: MIT */
/*
 * Interrupts on /dev/kvm: each step is the ioctl of its name.
 */
#include "demo.h"
#include "kvm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define APIC_SVR     0xf0
#define APIC_ISR     0x100
#define APIC_TMR     0x180
#define APIC_IRR     0x200
#define SVR_DISABLED 0xffu
#define SVR_ENABLED  0x1ffu
#define MSI_ADDRESS  0xfee00000u

static uint32_t apic_read(const struct kvm_lapic_state *apic, unsigned int offset)
{
	uint32_t value;

	memcpy(&value, apic->regs + offset, sizeof(value));
	return value;
}

static void apic_write(struct kvm_lapic_state *apic, unsigned int offset, uint32_t value)
{
	memcpy(apic->regs + offset, &value, sizeof(value));
}

int kvm_apic_enable(int cpu, bool enabled)
{
	struct kvm_lapic_state apic;

	if (ioctl(cpu, KVM_GET_LAPIC, &apic) < 0)
		return -1;
	apic_write(&apic, APIC_SVR, enabled ? SVR_ENABLED : SVR_DISABLED);
	return ioctl(cpu, KVM_SET_LAPIC, &apic);
}

static int clear(const struct kvm_machine *machine)
{
	for (unsigned int i = 0; i < machine->nr_cpus; i++) {
		struct kvm_lapic_state apic;

		if (ioctl(machine->cpu[i], KVM_GET_LAPIC, &apic) < 0)
			return -1;
		for (unsigned int word = 0; word < 8; word++) {
			apic_write(&apic, APIC_ISR + 16 * word, 0);
			apic_write(&apic, APIC_TMR + 16 * word, 0);
			apic_write(&apic, APIC_IRR + 16 * word, 0);
		}
		if (ioctl(machine->cpu[i], KVM_SET_LAPIC, &apic) < 0)
			return -1;
	}
	return 0;
}

/* What fits: a script has far fewer vectors than an outcome has room for. */
static int show_irr(const struct kvm_machine *machine, char outcome[OUTCOME_SIZE])
{
	size_t used = 0;

	snprintf(outcome, OUTCOME_SIZE, "none");
	for (unsigned int i = 0; i < machine->nr_cpus; i++) {
		struct kvm_lapic_state apic;

		if (ioctl(machine->cpu[i], KVM_GET_LAPIC, &apic) < 0)
			return -1;
		for (unsigned int vector = 0; vector < 256; vector++) {
			uint32_t word = apic_read(&apic, APIC_IRR + 16 * (vector / 32));

			if (word & 1u << vector % 32 && used < OUTCOME_SIZE - 16)
				used += (size_t)snprintf(outcome + used, OUTCOME_SIZE - used,
					"%s%u:0x%02x", used ? " " : "", i, vector);
		}
	}
	return 0;
}

static int irqfd(const struct world *world, int fd, const struct step *step)
{
	struct kvm_irqfd argument = {.fd = (uint32_t)kvm_event_fd(world, step->event),
		.gsi = step->gsi,
		.flags = step->flags};

	if (step->op == OP_DEASSIGN)
		argument.flags |= KVM_IRQFD_FLAG_DEASSIGN;
	if (step->has_other) {
		argument.flags |= KVM_IRQFD_FLAG_RESAMPLE;
		argument.resamplefd = (uint32_t)kvm_event_fd(world, step->other);
	}
	return ioctl(fd, KVM_IRQFD, step->null ? NULL : &argument);
}

static void fill_route(struct kvm_irq_routing_entry *entry, const struct step_route *route)
{
	entry->gsi = route->gsi;
	entry->flags = route->flags;
	switch (route->type) {
	case STEP_ROUTE_MSI:
		entry->type = KVM_IRQ_ROUTING_MSI;
		entry->u.msi.address_lo = MSI_ADDRESS | route->dest << 12;
		entry->u.msi.data = route->vector;
		break;
	case STEP_ROUTE_CHIP:
		entry->type = KVM_IRQ_ROUTING_IRQCHIP;
		entry->u.irqchip.irqchip = route->chip;
		entry->u.irqchip.pin = route->pin;
		break;
	case STEP_ROUTE_RAW:
		entry->type = route->chip;
		break;
	}
}

/* A header at the end of a page, and entries on one that cannot be read. */
static int route_cut(int fd, const struct step *step)
{
	char *pages = mmap(
		NULL, 2 * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_irq_routing header = {.nr = (uint32_t)step->nr_routes, .flags = step->flags};
	void *table;
	int result, error;

	if (pages == MAP_FAILED || mprotect(pages + PAGE_BYTES, PAGE_BYTES, PROT_NONE) < 0)
		die(errno, "no memory for routes");
	table = pages + PAGE_BYTES - sizeof(header);
	memcpy(table, &header, sizeof(header));
	result = ioctl(fd, KVM_SET_GSI_ROUTING, table);
	error = errno;
	munmap(pages, 2 * PAGE_BYTES);
	errno = error;
	return result;
}

static int route(int fd, const struct step *step)
{
	struct kvm_irq_routing *table;
	int result, error;

	if (step->null)
		return ioctl(fd, KVM_SET_GSI_ROUTING, NULL);
	if (step->cut)
		return route_cut(fd, step);
	table = zalloc(sizeof(*table) + step->nr_routes * sizeof(table->entries[0]));
	table->nr = (uint32_t)step->nr_routes;
	table->flags = step->flags;
	for (size_t i = 0; i < step->nr_routes; i++)
		fill_route(&table->entries[i], &step->routes[i]);
	result = ioctl(fd, KVM_SET_GSI_ROUTING, table);
	error = errno;
	free(table);
	errno = error;
	return result;
}

static int line(int fd, const struct step *step, char outcome[OUTCOME_SIZE])
{
	struct kvm_irq_level argument = {.irq = step->gsi, .level = step->number};
	int result, status;

	if (!step->status)
		return ioctl(fd, KVM_IRQ_LINE, step->null ? NULL : &argument);
	result = ioctl(fd, KVM_IRQ_LINE_STATUS, step->null ? NULL : &argument);
	status = (int)argument.status;
	snprintf(outcome, OUTCOME_SIZE, "%s",
		status < 0   ? "ignored"
		: status > 0 ? "delivered"
			     : "coalesced");
	return result;
}

static int msi(int fd, const struct step *step, char outcome[OUTCOME_SIZE])
{
	struct kvm_msi argument = {.address_lo = MSI_ADDRESS | step->cpu << 12,
		.data = step->vector,
		.flags = step->flags};
	int result = ioctl(fd, KVM_SIGNAL_MSI, step->null ? NULL : &argument);

	snprintf(outcome, OUTCOME_SIZE, "%s", result > 0 ? "delivered" : "dropped");
	return result;
}

static int get_chip(int fd, unsigned int number, struct kvm_irqchip *chip)
{
	memset(chip, 0, sizeof(*chip));
	chip->chip_id = number;
	return ioctl(fd, KVM_GET_IRQCHIP, chip);
}

static int ioapic(int fd, const struct step *step)
{
	const struct step_redirection *redirection = &step->redirection;
	struct kvm_irqchip chip;

	if (get_chip(fd, KVM_IRQCHIP_IOAPIC, &chip) < 0)
		return -1;
	chip.chip.ioapic.redirtbl[step->pin].bits =
		redirection->vector | (uint64_t)redirection->level << 15 |
		(uint64_t)redirection->masked << 16 | (uint64_t)redirection->dest << 56;
	return ioctl(fd, KVM_SET_IRQCHIP, &chip);
}

static int show_pin(int fd, const struct step *step, char outcome[OUTCOME_SIZE])
{
	struct kvm_irqchip chip;

	if (get_chip(fd, KVM_IRQCHIP_IOAPIC, &chip) < 0)
		return -1;
	snprintf(outcome, OUTCOME_SIZE, "irr=%u remote_irr=%u",
		chip.chip.ioapic.irr >> step->pin & 1,
		chip.chip.ioapic.redirtbl[step->pin].fields.remote_irr);
	return 0;
}

static int show_pic(int fd, char outcome[OUTCOME_SIZE])
{
	struct kvm_irqchip master, slave;

	if (get_chip(fd, KVM_IRQCHIP_PIC_MASTER, &master) < 0 ||
		get_chip(fd, KVM_IRQCHIP_PIC_SLAVE, &slave) < 0)
		return -1;
	snprintf(outcome, OUTCOME_SIZE, "0x%x 0x%x", master.chip.pic.irr, slave.chip.pic.irr);
	return 0;
}

bool kvm_interrupt_run(struct world *world, const struct step *step, char outcome[OUTCOME_SIZE])
{
	const struct kvm_handle *handle = &world->machine[step->machine];
	int result;

	switch (step->op) {
	case OP_APIC:
		result = kvm_apic_enable(handle->machine->cpu[step->cpu], step->number);
		break;
	case OP_ASSIGN:
	case OP_DEASSIGN:
		result = irqfd(world, handle->fd, step);
		break;
	case OP_ROUTE:
		result = route(handle->fd, step);
		break;
	case OP_LINE:
		result = line(handle->fd, step, outcome);
		break;
	case OP_MSI:
		result = msi(handle->fd, step, outcome);
		break;
	case OP_IOAPIC:
		result = ioapic(handle->fd, step);
		break;
	case OP_CLEAR:
		result = clear(handle->machine);
		break;
	case OP_SHOW_IRR:
		result = show_irr(handle->machine, outcome);
		break;
	case OP_SHOW_PIN:
		result = show_pin(handle->fd, step, outcome);
		break;
	case OP_SHOW_PIC:
		result = show_pic(handle->fd, outcome);
		break;
	default:
		return false;
	}
	/* What the step printed stands, unless it failed. */
	if (result < 0)
		kvm_outcome(outcome, result);
	return true;
}
