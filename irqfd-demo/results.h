/* SPDX-License-Identifier: MIT */
/*
 * What a run came to: gathered at its end, checked, and then written for people
 * (report.c), for programs (json.c) and as a plot (plot.c).
 */
#ifndef RESULTS_H
#define RESULTS_H

#include "counters.h"
#include "device.h"

#include <srcu/srcu.h>

struct figure {
	const char *name;
	uint64_t value;
};

/* All must be 0. */
enum invariant {
	LOST,
	TORN,
	STALE,
	STALE_SLOTS,
	STALE_TRANSLATIONS,
	LINES_UP,
	LEAKED,
	NR_INVARIANTS,
};

enum {
	BY_PROCESSES,
	BY_WORKER,
	UPDATES,
	REPLUGS,
	IRQFDS,
	SLOT_CHANGES,
	PAGE_CHANGES,
	FAULTS,
	GRACE_PERIODS,
	MEMBARRIERS,
	NR_COUNTS,
};

struct path_results {
	struct path_counters events;
	struct hist latency;
};

struct results {
	const struct run_options *options;
	double seconds;
	struct path_results path[NR_PATHS];
	struct figure invariant[NR_INVARIANTS];
	struct figure count[NR_COUNTS];
	uint64_t longest_ns; /* grace period */
	unsigned int broken; /* invariants, and what is no figure */
};

const char *path_name(enum path path);

/* All events of @path so far, with those of the processes whose mailboxes @peers are. */
uint64_t path_injected(enum path path, const struct mailbox *peers);

/* Gather what the counters have, once the machine is gone. */
void results_gather(
	struct results *results, const struct mailbox *peers, const struct srcu_stats *stats);

/* Unless @holds: say so on standard error, and that something is broken. */
void results_require(struct results *results, bool holds, const char *invariant, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* Require what must hold of the figures. */
void results_check(struct results *results);

#endif /* RESULTS_H */
