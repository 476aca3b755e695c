/* SPDX-License-Identifier: MIT */
/*
 * The changes to KVM that the demo began with, each shown with its mechanism and
 * without it.  A seed is a table of parts; the parts share nothing.
 */
#ifndef SEED_H
#define SEED_H

#include <stdbool.h>
#include <stddef.h>

/* Show a seed; returns the program's exit status. */
typedef int seed_fn(void);

seed_fn seed_002;

/* The seed of that name, or NULL. */
seed_fn *seed_find(const char *name);

#define SEED_SAW_SIZE 100

struct seed_part {
	const char *what;      /* the situation */
	const char *mechanism; /* what it needs */
	/* Run it, the mechanism left out or not; was it right?  @saw gets what was seen. */
	bool (*run)(bool without, char saw[SEED_SAW_SIZE]);
};

/*
 * Run each part with its mechanism and without, and print what was seen.  Returns
 * 0 when all is right with it and all breaks without it, else 1, saying which.
 */
int seed_show(const struct seed_part *parts, size_t nr);

#endif /* SEED_H */
