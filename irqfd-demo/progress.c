/* SPDX-License-Identifier: MIT */
/*
 * Sums, and what they have grown by; progress.h says what of.
 */
#include "progress.h"

#include "results.h"

#include <string.h>

static uint64_t rate_sum(enum rate rate)
{
	const uint64_t *const sums[NR_RATES] = {
		[RATE_VECTORS] = &counters->taken,
		[RATE_WORKER] = &counters->by_worker,
		[RATE_UPDATES] = &counters->updates,
		[RATE_SLOTS] = &counters->slot_changes,
		[RATE_PAGES] = &counters->remaps,
		[RATE_FAULTS] = &counters->faults,
		[RATE_REPLUGS] = &counters->replugs,
	};

	return percpu_sum(sums[rate]);
}

void progress_begin(struct progress *progress, const struct mailbox *peers)
{
	memset(progress, 0, sizeof(*progress));
	progress->peers = peers;
	progress->began_ns = now_ns();
}

/* Make @sum the new one, and return by how much it has grown. */
static uint64_t grown(uint64_t *sum, uint64_t to)
{
	uint64_t by = to - *sum;

	*sum = to;
	return by;
}

void progress_next(struct progress *progress, struct moment *moment)
{
	struct moment *sums = &progress->sums;

	moment->at_ns = now_ns() - progress->began_ns;
	moment->since_ns = grown(&sums->at_ns, moment->at_ns);
	for (enum path path = 0; path < NR_PATHS; path++) {
		struct hist latency;

		moment->injected[path] =
			grown(&sums->injected[path], path_injected(path, progress->peers));
		latency_read(path, &latency);
		for (size_t i = 0; i < HIST_BUCKETS; i++)
			moment->latency[path].bucket[i] =
				grown(&sums->latency[path].bucket[i], latency.bucket[i]);
	}
	for (enum rate rate = 0; rate < NR_RATES; rate++)
		moment->count[rate] = grown(&sums->count[rate], rate_sum(rate));
}
