/* SPDX-License-Identifier: MIT */
/*
 * The model as a backend: a world's machines and eventfds, and which part carries
 * out a step.
 */
#include "model.h"

#include "counters.h"
#include "host.h"
#include "text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

void model_tell(char outcome[OUTCOME_SIZE], int error)
{
	snprintf(outcome, OUTCOME_SIZE, "%s", errno_name(-error));
}

int model_argument_error(const struct step *step)
{
	if (step->child)
		return -EIO;
	return step->null ? -EFAULT : 0;
}

int model_event(struct vm *vm, unsigned int number, struct hub_event **event)
{
	if (number == EVENT_CLOSED)
		return -EBADF;
	if (number == EVENT_FILE)
		return -EINVAL;
	*event = container_of(vm, struct machine, vm)->world->events[number];
	return 0;
}

static void machine_open(struct world *world, const struct step *step)
{
	static const enum irqchip irqchips[] = {
		[CHIP_FULL] = IRQCHIP_FULL,
		[CHIP_NONE] = IRQCHIP_NONE,
		[CHIP_SPLIT] = IRQCHIP_SPLIT,
	};
	struct machine *machine = zalloc(sizeof(*machine));

	vm_init(&machine->vm, irqchips[step->chip], step->number);
	machine->world = world;
	machine->names = 1;
	machine->handles = 1;
	world->machines[step->machine] = machine;
}

static void machine_dup(struct world *world, const struct step *step)
{
	struct machine *machine = world->machines[step->other];

	machine->names++;
	machine->handles++;
	world->machines[step->machine] = machine;
}

/* With the last handle the machine lets go of the eventfds, with the last name it goes. */
static int machine_close(struct world *world, unsigned int name, bool keep_cpus)
{
	struct machine *machine = world->machines[name];
	int error;

	if (!world->only_cpus[name] && --machine->handles == 0)
		irqfd_release(&machine->vm);
	world->only_cpus[name] = keep_cpus;
	if (keep_cpus)
		return 0;
	world->machines[name] = NULL;
	if (--machine->names > 0)
		return 0;
	error = vm_end(&machine->vm);
	free(machine);
	return error;
}

static int event_open(struct world *world, const struct step *step)
{
	struct hub_event *event =
		hub_open((unsigned int)step->value, step->number ? EFD_SEMAPHORE : 0);

	if (!event)
		return -errno;
	world->events[step->event] = event;
	return 0;
}

static int event_close(struct world *world, unsigned int name)
{
	hub_close(world->events[name]);
	world->events[name] = NULL;
	return 0;
}

static int run_irqchip(struct vm *vm, const struct step *step)
{
	int error = model_argument_error(step);

	return error ? error : vm_create_irqchip(vm);
}

/* Steps about names, whose outcome is an errno.  False: it is none of them. */
static bool run_name(struct world *world, const struct step *step, char outcome[OUTCOME_SIZE])
{
	int error = 0;

	switch (step->op) {
	case OP_VM:
		machine_open(world, step);
		break;
	case OP_VM_DUP:
		machine_dup(world, step);
		break;
	case OP_VM_CLOSE:
		error = machine_close(world, step->machine, step->keep_cpus);
		break;
	case OP_IRQCHIP:
		error = run_irqchip(&world->machines[step->machine]->vm, step);
		break;
	case OP_EVENT:
		error = event_open(world, step);
		break;
	case OP_EVENT_DUP:
		world->events[step->event] = hub_dup(world->events[step->other]);
		break;
	case OP_CLOSE:
		error = event_close(world, step->event);
		break;
	case OP_SIGNAL:
		/* The same from whatever process. */
		error = hub_signal(world->events[step->event], step->value);
		break;
	default:
		return false;
	}
	model_tell(outcome, error);
	return true;
}

static bool show_event(
	const struct world *world, const struct step *step, char outcome[OUTCOME_SIZE])
{
	switch (step->op) {
	case OP_SHOW_COUNT:
		snprintf(outcome, OUTCOME_SIZE, "%" PRIu64, hub_count(world->events[step->event]));
		return true;
	case OP_SHOW_POLL:
		snprintf(outcome, OUTCOME_SIZE, "%s",
			hub_ready(world->events[step->event]) ? "ready" : "idle");
		return true;
	default:
		return false;
	}
}

/* Let the workers finish, so that a step finds the same in every run. */
static void settle(struct world *world)
{
	for (unsigned int i = 0; i < MAX_MACHINES; i++)
		if (world->machines[i])
			vm_settle(&world->machines[i]->vm);
}

static struct world *model_begin(const char **why)
{
	(void)why;
	/* The first world makes them, for all. */
	if (!counters)
		counters_init();
	host_clean();
	return zalloc(sizeof(struct world));
}

static unsigned int model_features(const struct world *world)
{
	(void)world;
	return FEATURE_GLOBAL_EBUSY | FEATURE_ONE_ADDRESS_SPACE;
}

static void model_run(struct world *world, const struct step *step, const char *expected,
	char outcome[OUTCOME_SIZE])
{
	struct machine *machine = world->machines[step->machine];
	struct vm *vm = machine ? &machine->vm : NULL;

	(void)expected; /* after settle() there is nothing to wait for */
	if (!run_name(world, step, outcome) && !show_event(world, step, outcome) &&
		!model_irq_run(vm, step, outcome))
		model_memory_run(vm, step, outcome);
	if (step->op < OP_SHOW_IRR) /* what shows something starts no worker */
		settle(world);
}

static void model_end(struct world *world)
{
	for (unsigned int i = 0; i < MAX_MACHINES; i++)
		if (world->machines[i] && machine_close(world, i, false))
			die(0, "a machine had readers left at its end");
	for (unsigned int i = 0; i < MAX_EVENTS; i++)
		if (world->events[i])
			event_close(world, i);
	free(world);
}

const struct backend model_backend = {
	.name = "model",
	.begin = model_begin,
	.features = model_features,
	.run = model_run,
	.end = model_end,
};
