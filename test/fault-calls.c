/* SPDX-License-Identifier: MIT */
/* What fault-calls.h declares. */
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "fault-calls.h"

enum { MOST_NAMES = 100 };

static const char *called[MOST_NAMES];
static int nr_called;

static bool was_called(const char *name)
{
	for (int i = 0; i < nr_called; i++)
		if (!strcmp(called[i], name))
			return true;
	return false;
}

void note_call(const char *name)
{
	if (was_called(name))
		return;
	must(nr_called < MOST_NAMES);
	called[nr_called++] = name;
}

void forget_calls(void)
{
	nr_called = 0;
}

static bool needs_object(const char *name)
{
	return !strcmp(name, "percpu_sum") || !strcmp(name, "srcu_this_cpu_add_") ||
	       !strcmp(name, "srcu_this_cpu_ptr_");
}

/* Each line of the map that is nothing but a name and a semicolon is one. */
void check_all_called(const char *map, bool have_objects)
{
	FILE *file = fopen(map, "r");
	char line[200], name[100], end;
	int names = 0;

	must(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %99[a-z_A-Z0-9]%c", name, &end) != 2 || end != ';')
			continue;
		if (was_called(name))
			names++;
		else if (have_objects || !needs_object(name)) /* it is not called */
			child_failed(map, names, name);
	}
	fclose(file);
	must(names == nr_called);
}
