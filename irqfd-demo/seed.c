/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo seed: the list of seeds, and what they have in common.
 */
#include "seed.h"

#include "demo.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	seed_fn *show;
} seeds[] = {
	{"002", seed_002},
};

seed_fn *seed_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
		if (strcmp(name, seeds[i].name) == 0)
			return seeds[i].show;
	return NULL;
}

static bool run_part(const struct seed_part *part, bool without)
{
	char saw[SEED_SAW_SIZE] = "";
	bool right = part->run(without, saw);

	printf("  %-7s %s: %s\n", without ? "without" : "with", part->mechanism, saw);
	if (right == without)
		printf("  NOT AS EXPECTED: that is %s\n", right ? "right" : "wrong");
	fflush(stdout);
	return right != without;
}

int seed_show(const struct seed_part *parts, size_t nr)
{
	bool good = true;

	for (size_t i = 0; i < nr; i++) {
		printf("\n%s\n", parts[i].what);
		good &= run_part(&parts[i], false);
		good &= run_part(&parts[i], true);
	}
	return good ? 0 : 1;
}
