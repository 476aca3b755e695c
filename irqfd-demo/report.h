/* SPDX-License-Identifier: MIT */
/*
 * What a person sees of a run: a heading, a line that is renewed on a terminal
 * and repeated elsewhere, and the table at the end.  Reads counts, writes
 * standard output.
 */
#ifndef REPORT_H
#define REPORT_H

#include "counters.h"
#include "device.h"

#include <srcu/srcu.h>

#include <stdbool.h>

struct report {
	bool terminal;
	const struct mailbox *peer; /* the other process counts its injections there */
	uint64_t began_ns;

	/* Of the line before. */
	uint64_t line_ns;
	uint64_t injected[NR_PATHS];
	uint64_t updates;
	struct hist latency[NR_PATHS];
};

const char *path_name(enum path path);

/* All events of @path so far. */
uint64_t report_injected(const struct report *report, enum path path);

void report_begin(
	struct report *report, const struct run_options *options, const struct mailbox *peer);

/* What happened since the line before. */
void report_line(struct report *report);

/* The table, once all is quiet. */
void report_end(const struct report *report, uint64_t lost, const struct srcu_stats *stats);

#endif /* REPORT_H */
