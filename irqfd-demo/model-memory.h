/* SPDX-License-Identifier: MIT */
/* The model's half of a scenario's steps that is about memory and ioeventfds. */
#ifndef MODEL_MEMORY_H
#define MODEL_MEMORY_H

#include "hub.h"
#include "step.h"

struct vm;

/*
 * Carry out @step on @vm, which may be NULL when the step names no machine.
 * Returns false, with nothing done, when the step is of the other half.
 */
bool model_memory_run(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE]);

/* The other half's: the eventfd that a step calls @number: 0, -EBADF or -EINVAL. */
int model_event(struct vm *vm, unsigned int number, struct hub_event **event);

#endif /* MODEL_MEMORY_H */
