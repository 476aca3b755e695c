/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer's parts: random steps, the comparison of a script on both
 * backends, and the way from a long script that differs to a short one.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "play.h"

#define NR_RECENT 4

/* The last steps of one kind; where there was none yet, zeros. */
struct recent {
	struct step step[NR_RECENT];
	unsigned int next;
};

struct generator {
	uint64_t random;
	unsigned int features; /* of the kernel: what it has not is left out */
	struct names names;
	struct step binding[MAX_EVENTS]; /* the first since the eventfd was free, or zeros */
	struct recent ioevents, slots;
};

/* Make a step that can come next.  Its values are few, so that steps meet. */
void generate_step(struct generator *generator, struct step *step);

struct difference {
	size_t step;
	outcome_t model, kvm;
};

/* Carry out @script on both up to the first difference.  Returns false if there is none. */
bool script_differs(const struct script *script, struct difference *difference);

/* Leave out of @script all that it differs without. */
void script_shrink(struct script *script, struct difference *difference);

/* A copy with routes of its own. */
struct step step_copy(const struct step *step);

#endif /* FUZZ_H */
