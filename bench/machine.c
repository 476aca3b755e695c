/* SPDX-License-Identifier: MIT */
/*
 * What a figure must be read with: the processor, the kernel, the compiler, and
 * which of its means the library uses here.
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench/shim.h"

/* The processor's name, in @line; NULL when /proc/cpuinfo does not tell it. */
static const char *cpu_model(char *line, int size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	const char *name = NULL;

	if (!f)
		return NULL;
	while (!name && fgets(line, size, f))
		if (!strncmp(line, "model name", strlen("model name")))
			name = strstr(line, ": ");
	fclose(f);
	if (!name)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return name + strlen(": ");
}

static const char *reader_means(const struct srcu_stats *s)
{
	switch (s->counters) {
	case SRCU_COUNT_RSEQ:
		return "rseq, per CPU";
	case SRCU_COUNT_ATOMIC:
		return "atomic, per CPU (no rseq)";
	case SRCU_COUNT_TWIN:
		return "atomic, one word (no per-CPU memory)";
	}
	return "unknown";
}

static const char *updater_means(const struct srcu_stats *s)
{
	switch (s->barrier) {
	case SRCU_BARRIER_MEMBARRIER:
		return "membarrier";
	case SRCU_BARRIER_FENCES:
		return "fenced readers (no membarrier)";
	case SRCU_BARRIER_WALK:
		return "walk over the CPUs (membarrier refused)";
	}
	return "unknown";
}

void machine_describe(void (*add)(const char *key, const char *value))
{
	struct srcu_stats stats;
	struct utsname un;
	const char *model;
	char line[256];

	uname(&un);
	model = cpu_model(line, sizeof(line));
	add("cpu", model ? model : un.machine);
	snprintf(line, sizeof(line), "%s %s", un.sysname, un.release);
	add("kernel", line);
#ifdef __clang__
	add("compiler", __VERSION__);
#else
	add("compiler", "gcc " __VERSION__);
#endif
	/* The first peer is the library with its defaults; a section initialises its domain. */
	peers[0]->read_batch(1);
	if (!peers[0]->stats(&stats)) {
		add("srcu readers", reader_means(&stats));
		add("srcu grace periods", updater_means(&stats));
	}
#ifndef HAVE_LIBURCU
	add("liburcu", "not built with it: its peers are left out");
#endif
#ifndef HAVE_CK
	add("Concurrency Kit", "not built with it: its peers are left out");
#endif
}
