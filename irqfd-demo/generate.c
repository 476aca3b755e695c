/* SPDX-License-Identifier: MIT */
/*
 * Random steps for the fuzzer, legal and illegal ones, over few values.
 */
#include "demo.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MACHINES 3
#define EVENTS   6

static uint64_t below(struct generator *generator, uint64_t bound)
{
	return random_below(&generator->random, bound);
}

static bool chance(struct generator *generator, unsigned int percent)
{
	return below(generator, 100) < percent;
}

#define PICK(generator, array) ((array)[below(generator, ARRAY_SIZE(array))])

static uint32_t pick_gsi(struct generator *generator)
{
	static const uint32_t usual[] = {4, 5, 9, 16, 24, 25};
	static const uint32_t others[] = {0, 1, 8, 15, 20, 23, 30, 4095, 4096, UINT32_MAX};

	return chance(generator, 85) ? PICK(generator, usual) : PICK(generator, others);
}

static uint32_t pick_pin(struct generator *generator)
{
	static const uint32_t pins[] = {4, 5, 9, 16};

	return PICK(generator, pins);
}

static uint32_t pick_vector(struct generator *generator)
{
	static const uint32_t vectors[] = {0x41, 0x82, 0x31, 0xff, 0x10, 0x5};

	return PICK(generator, vectors);
}

static uint32_t pick_dest(struct generator *generator)
{
	static const uint32_t dests[] = {0, 0, 1, 1, 2, 7, 0xff};

	return PICK(generator, dests);
}

static unsigned int pick_event(struct generator *generator)
{
	if (chance(generator, 3))
		return chance(generator, 50) ? EVENT_CLOSED : EVENT_FILE;
	return (unsigned int)below(generator, EVENTS);
}

static void make_machine(struct generator *generator, struct step *step)
{
	static const enum chip chips[] = {
		CHIP_FULL, CHIP_FULL, CHIP_FULL, CHIP_FULL, CHIP_NONE, CHIP_SPLIT};

	step->number = (uint32_t)below(generator, 4);
	step->chip = PICK(generator, chips);
}

static void make_close(struct generator *generator, struct step *step)
{
	step->keep_cpus = chance(generator, 40);
}

static void make_event(struct generator *generator, struct step *step)
{
	step->value = chance(generator, 30) ? below(generator, 4) : 0;
	step->number = chance(generator, 20);
}

static void make_signal(struct generator *generator, struct step *step)
{
	static const uint64_t values[] = {1, 1, 1, 1, 0, 2, 3, UINT64_MAX - 1, UINT64_MAX};

	step->value = PICK(generator, values);
	step->child = chance(generator, 2);
}

static void make_argument(struct generator *generator, struct step *step)
{
	step->child = chance(generator, 1);
	step->null = chance(generator, 1);
}

static void make_binding(struct generator *generator, struct step *step)
{
	static const uint32_t flags[] = {4, 8, 0x80000000};

	step->gsi = pick_gsi(generator);
	step->has_other = chance(generator, 25);
	if (step->has_other)
		step->other = pick_event(generator);
	if (chance(generator, 3))
		step->flags = PICK(generator, flags);
	make_argument(generator, step);
}

static void make_route(struct generator *generator, struct step_route *route)
{
	static const uint32_t flags[] = {1, 2, 0x10}, types[] = {0, 3, 6, 100};
	uint64_t kind = below(generator, 100);

	route->gsi = pick_gsi(generator);
	if (route->gsi > 4095 && chance(generator, 80))
		route->gsi = 24;
	if (kind < 50) {
		route->type = STEP_ROUTE_MSI;
		route->dest = pick_dest(generator);
		route->vector = pick_vector(generator);
	} else if (kind < 98) {
		route->type = STEP_ROUTE_CHIP;
		route->chip = chance(generator, 3) ? 3 : (uint32_t)below(generator, 3);
		route->pin = chance(generator, 3) ? 24 : pick_pin(generator);
		if (route->chip < 2 && !chance(generator, 3))
			route->pin %= 8;
	} else {
		route->type = STEP_ROUTE_RAW;
		route->chip = PICK(generator, types);
	}
	if (chance(generator, 3))
		route->flags = PICK(generator, flags);
}

static void make_routes(struct generator *generator, struct step *step)
{
	step->flags = chance(generator, 2);
	step->cut = chance(generator, 2);
	make_argument(generator, step);
	step->nr_routes = below(generator, 6);
	if (!step->nr_routes)
		return;
	step->routes = zalloc(step->nr_routes * sizeof(*step->routes));
	for (size_t i = 0; i < step->nr_routes; i++)
		make_route(generator, &step->routes[i]);
}

static void make_line(struct generator *generator, struct step *step)
{
	step->gsi = pick_gsi(generator);
	step->number = (uint32_t)below(generator, 2);
	step->status = chance(generator, 50);
	make_argument(generator, step);
}

static void make_msi(struct generator *generator, struct step *step)
{
	step->cpu = pick_dest(generator);
	step->vector = pick_vector(generator);
	step->flags = chance(generator, 3);
	make_argument(generator, step);
}

static void make_redirection(struct generator *generator, struct step *step)
{
	step->pin = pick_pin(generator);
	step->redirection = (struct step_redirection){.vector = pick_vector(generator),
		.dest = pick_dest(generator),
		.level = chance(generator, 40),
		.masked = chance(generator, 25)};
}

static uint32_t pick_slot(struct generator *generator)
{
	static const uint32_t strange[] = {32763, 32764, 0x10000, UINT32_MAX};
	uint32_t slot = PICK(generator, strange);

	if (chance(generator, 95) ||
		(slot == 0x10000 && !(generator->features & FEATURE_ONE_ADDRESS_SPACE)))
		slot = (uint32_t)below(generator, 4);
	return slot;
}

static uint64_t pick_page(struct generator *generator)
{
	return 0x1000 * below(generator, ARENA_PAGES);
}

static void make_slot(struct generator *generator, struct step *step)
{
	static const uint64_t sizes[] = {
		0, 0x1000, 0x1000, 0x2000, 0x2000, 0x4000, 0x800, 0x1000 * STEP_SLOT_PAGES};
	static const uint64_t strange[] = {0x800, HVA_UNMAPPED, HVA_KERNEL};
	/* The last is one page beyond the end of physical addresses. */
	static const uint64_t places[] = {0x1800, UINT64_MAX - 0xfff, (uint64_t)1 << 52};
	static const uint32_t flags[] = {0, 0, 0, 0, 1, 1, 2, 3, 4, 0x80000000};
	struct step_memory *memory = &step->memory;

	memory->slot = pick_slot(generator);
	memory->gpa = pick_page(generator);
	memory->size = PICK(generator, sizes);
	memory->hva = pick_page(generator);
	memory->flags = PICK(generator, flags);
	if (chance(generator, 3))
		memory->gpa = PICK(generator, places);
	if (chance(generator, 5))
		memory->hva = PICK(generator, strange);
	make_argument(generator, step);
}

static void make_guest_write(struct generator *generator, struct step *step)
{
	static const uint64_t offsets[] = {0x10, 0x800, 0xff4, 0xff8, 0xffc};

	step->gpa = pick_page(generator) + PICK(generator, offsets);
}

static void make_ioevent(struct generator *generator, struct step *step)
{
	static const uint64_t addresses[] = {0x100, 0x100, 0x101, 0x104, UINT64_MAX - 1};
	static const uint32_t lengths[] = {0, 1, 2, 4, 8, 3, 16}, flags[] = {8, 0x10, 0x20};
	struct step_ioevent *ioevent = &step->ioevent;

	ioevent->addr = PICK(generator, addresses);
	ioevent->length = PICK(generator, lengths);
	ioevent->pio = chance(generator, 40);
	ioevent->wildcard = chance(generator, 60);
	if (!ioevent->wildcard)
		ioevent->datamatch = below(generator, 3);
	if (chance(generator, 5))
		step->flags = PICK(generator, flags);
	make_argument(generator, step);
}

static void make_show_dirty(struct generator *generator, struct step *step)
{
	step->memory.slot = pick_slot(generator);
}

static void make_apic(struct generator *generator, struct step *step)
{
	step->cpu = (unsigned int)below(generator, 2);
	step->number = chance(generator, 60);
}

static void make_page(struct generator *generator, struct step *step)
{
	step->page = (unsigned int)below(generator, ARENA_PAGES);
}

static void keep(struct recent *recent, const struct step *step)
{
	recent->step[recent->next++ % NR_RECENT] = *step;
}

/* Chance alone would seldom undo or change what there is. */
static void refer(struct generator *generator, const struct recent *recent, struct step *step)
{
	enum op op = step->op;

	if (chance(generator, 40))
		return;
	*step = PICK(generator, recent->step);
	step->op = op;
}

static void refer_slot(struct generator *generator, struct step *step)
{
	struct step_memory *memory = &step->memory;

	refer(generator, &generator->slots, step);
	switch (below(generator, 8)) {
	case 0:
		memory->size = 0;
		break;
	case 1:
		memory->flags ^= 1;
		break;
	case 2:
	case 3:
	case 4:
		memory->gpa = pick_page(generator);
		break;
	default:
		break;
	}
}

/* Only the first binding of an eventfd counts: others are refused. */
static void keep_binding(struct generator *generator, const struct step *step)
{
	if (step->event < EVENTS && generator->binding[step->event].op != OP_ASSIGN)
		generator->binding[step->event] = *step;
}

static void refer_binding(struct generator *generator, struct step *step)
{
	struct step *binding = &generator->binding[below(generator, EVENTS)];

	if (binding->op != OP_ASSIGN || chance(generator, 30))
		return;
	*step = *binding;
	step->op = OP_DEASSIGN;
	memset(binding, 0, sizeof(*binding));
}

static void relate(struct generator *generator, struct step *step)
{
	switch (step->op) {
	case OP_CLOSE:
		memset(&generator->binding[step->event], 0, sizeof(generator->binding[0]));
		break;
	case OP_ASSIGN:
		keep_binding(generator, step);
		break;
	case OP_DEASSIGN:
		refer_binding(generator, step);
		break;
	case OP_IOEVENT:
		keep(&generator->ioevents, step);
		break;
	case OP_IOEVENT_OFF:
		refer(generator, &generator->ioevents, step);
		break;
	case OP_SLOT:
		refer_slot(generator, step);
		keep(&generator->slots, step);
		break;
	default:
		break;
	}
}

static const struct {
	enum op op;
	unsigned int weight;
	void (*make)(struct generator *generator, struct step *step);
} kinds[] = {
	{OP_VM, 4, make_machine},
	{OP_VM_DUP, 1, NULL},
	{OP_VM_CLOSE, 1, make_close},
	{OP_IRQCHIP, 1, NULL},
	{OP_APIC, 2, make_apic},
	{OP_EVENT, 12, make_event},
	{OP_EVENT_DUP, 3, NULL},
	{OP_CLOSE, 3, NULL},
	{OP_SIGNAL, 20, make_signal},
	{OP_ASSIGN, 20, make_binding},
	{OP_DEASSIGN, 8, make_binding},
	{OP_ROUTE, 8, make_routes},
	{OP_LINE, 8, make_line},
	{OP_MSI, 3, make_msi},
	{OP_IOAPIC, 10, make_redirection},
	{OP_CLEAR, 3, NULL},
	{OP_SLOT, 14, make_slot},
	{OP_GUEST_WRITE, 8, make_guest_write},
	{OP_UNMAP, 1, make_page},
	{OP_IOEVENT, 8, make_ioevent},
	{OP_IOEVENT_OFF, 6, make_ioevent},
	{OP_SHOW_DIRTY, 4, make_show_dirty},
};

static void make_step(struct generator *generator, struct step *step)
{
	unsigned int sum = 0;
	uint64_t at;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		sum += kinds[i].weight;
	at = below(generator, sum);
	for (i = 0; at >= kinds[i].weight; i++)
		at -= kinds[i].weight;

	memset(step, 0, sizeof(*step));
	step->op = kinds[i].op;
	step->machine = (unsigned int)below(generator, MACHINES);
	step->event = (unsigned int)below(generator, EVENTS);
	step->other = (unsigned int)below(generator, MACHINES);
	if (kinds[i].make)
		kinds[i].make(generator, step);
	if (step->op == OP_ASSIGN || step->op == OP_DEASSIGN || step->op == OP_IOEVENT ||
		step->op == OP_IOEVENT_OFF)
		step->event = pick_event(generator);
	relate(generator, step);
}

/* Where every machine has a list of its own, two must not meet at an eventfd. */
static bool left_out(const struct generator *generator, const struct step *step)
{
	return step->op == OP_VM && step->machine > 0 &&
	       !(generator->features & FEATURE_GLOBAL_EBUSY);
}

void generate_step(struct generator *generator, struct step *step)
{
	for (;;) {
		make_step(generator, step);
		if (!left_out(generator, step) && !names_step(&generator->names, step))
			return;
		step_free(step);
	}
}
