/* SPDX-License-Identifier: MIT */
/*
 * What happened between two moments of a run.  Reads counters, writes nothing.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "counters.h"
#include "device.h"

enum rate {
	RATE_VECTORS,
	RATE_WORKER,
	RATE_UPDATES,
	RATE_SLOTS,
	RATE_PAGES,
	RATE_FAULTS,
	RATE_REPLUGS,
	NR_RATES,
};

/* All but the time is since the moment before. */
struct moment {
	uint64_t at_ns; /* since the beginning */
	uint64_t since_ns;
	uint64_t injected[NR_PATHS];
	struct hist latency[NR_PATHS];
	uint64_t count[NR_RATES];
};

struct progress {
	const struct mailbox *peers;
	uint64_t began_ns;
	struct moment sums; /* at the moment before, since the beginning */
};

void progress_begin(struct progress *progress, const struct mailbox *peers);
void progress_next(struct progress *progress, struct moment *moment);

#endif /* PROGRESS_H */
