/* SPDX-License-Identifier: MIT */
/* What the tests of the demo's memory share. */
#ifndef MEMORY_HELPER_H
#define MEMORY_HELPER_H

#include "irqfd-demo/memslots.h"
#include "irqfd-demo/model-memory.h"

/* A slot by page numbers. */
int slot_set(struct memory *memory, uint32_t id, uint32_t flags, uint64_t gfn, uint64_t npages,
	uint64_t hva);

/*
 * Carry out a scenario's step about memory on a machine that has @memory, where
 * event 0 is @event.  False when the step is not about memory.
 */
bool step_run(struct memory *memory, struct hub_event *event, const struct step *step,
	char outcome[OUTCOME_SIZE]);

/* The calling thread's id, for await_asleep(). */
void publish_tid(int *tid);

#endif /* MEMORY_HELPER_H */
