/* SPDX-License-Identifier: MIT */
/*
 * The model as a backend for scenarios: its parts' view of a world.  Machines do
 * not run: no CPU takes what is pending.
 */
#ifndef MODEL_H
#define MODEL_H

#include "hub.h"
#include "model-memory.h"
#include "step.h"
#include "vm.h"

/* A machine as long as it has names; two of one are the same machine. */
struct machine {
	struct vm vm;
	struct world *world;
	unsigned int names, handles; /* handles: names with more than the CPUs */
};

struct world {
	struct machine *machines[MAX_MACHINES];
	bool only_cpus[MAX_MACHINES]; /* of the machine this name is left for */
	struct hub_event *events[MAX_EVENTS];
};

/* What comes before all else in a call to a machine: 0, -EIO or -EFAULT. */
int model_argument_error(const struct step *step);

/* 0 or a negative errno as an outcome. */
void model_tell(char outcome[OUTCOME_SIZE], int error);

/*
 * model-irq.c: the steps about interrupts, and what shows them.  Returns false,
 * with nothing done, when the step is none of these.
 */
bool model_irq_run(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE]);

#endif /* MODEL_H */
