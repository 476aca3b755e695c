/* SPDX-License-Identifier: MIT */
/* What inject.h declares, where there is any of it. */
#include "internal.h"

#ifdef SRCU_INJECT
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define INJECT_NAME(point) #point,
static const char *const names[] = {INJECT_POINTS(INJECT_NAME)};

/* The longest delay at each point, plus one; 0: none. */
static uint32_t most[NR_POINTS];

/* "name:spins", of @length; false when it is not that. */
static bool parse_one(const char *word, size_t length)
{
	size_t name = strcspn(word, ":,");
	uint32_t spins;
	bool found = false;

	if (name >= length || word[name] != ':')
		return false;
	spins = (uint32_t)strtoul(word + name + 1, NULL, 10) + 1;
	for (size_t i = 0; i < NR_POINTS; i++) {
		bool all = name == 3 && !strncmp(word, "all", name);

		if (!all && (strlen(names[i]) != name || strncmp(word, names[i], name)))
			continue;
		most[i] = spins;
		found = true;
	}
	return found;
}

__attribute__((constructor)) static void constructor(void)
{
	const char *list = secure_getenv("SRCU_INJECT");

	while (list && *list) {
		size_t length = strcspn(list, ",");

		if (length && !parse_one(list, length))
			srcu_warn(NULL, "SRCU_INJECT: '%.*s' is no point and delay", (int)length,
				list);
		list += length + (list[length] == ',');
	}
}

/* Each thread's own sequence of chance. */
static uint32_t draw(void)
{
	static __thread uint64_t state __attribute__((tls_model("initial-exec")));

	state = (state + (uintptr_t)&state) * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(state >> 32);
}

/*
 * Mostly none, now and then one of varying length, and once in a while a turn for
 * whoever else may run here.  Async-signal-safe; keeps errno.
 */
void srcu_inject(enum inject_point point)
{
	uint32_t longest = most[point], chance;

	if (!longest)
		return;
	chance = draw();
	if (chance % 32 == 0)
		sched_yield();
	else if (chance % 4 == 1)
		for (uint32_t i = chance / 4 % longest; i; i--)
			cpu_relax();
}
#endif
