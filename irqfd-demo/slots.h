/* SPDX-License-Identifier: MIT */
/*
 * Changing memory.  A thread makes, moves and deletes slots and gives pages other
 * frames; meanwhile CPUs look slots up, fault pages in and use what is mapped, and
 * check that it is not out of date.
 *
 * The state of a slot after change number n is a function of its id and n, and no
 * two states have a guest page in common: what a CPU finds tells its number.
 */
#ifndef SLOTS_H
#define SLOTS_H

#include "device.h"
#include "memslots.h"

#define NR_SLOT_IDS 3

struct slots {
	struct memory *memory; /* constant */

	/* Written by the thread. */
	struct pace pace;
	uint64_t complete[NR_SLOT_IDS]; /* the latest change that has returned */
	uint64_t frame[ARENA_PAGES];    /* since the latest change that has returned */

	uint64_t turn[MAX_CPUS]; /* each CPU's own */
	uint32_t stopping;
	pthread_t thread;
};

/* CPUs may use it before, once memory is set. */
void slots_start(struct slots *slots, struct pace pace);
void slots_stop(struct slots *slots);

/* A CPU's accesses to the guest's memory.  On its thread. */
void slots_access(struct slots *slots, unsigned int cpu);

#endif /* SLOTS_H */
