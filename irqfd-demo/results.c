/* SPDX-License-Identifier: MIT */
/*
 * A run's results and what must hold of them; results.h says who reads them.
 */
#include "results.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

const char *path_name(enum path path)
{
	static const char *const names[NR_PATHS] = {
		[PATH_DIRECT] = "direct",
		[PATH_EVENTFD] = "eventfd",
		[PATH_SIGNAL] = "signal",
		[PATH_LEVEL] = "level",
	};

	return names[path];
}

static uint64_t injected_by_peers(const struct mailbox *peers)
{
	uint64_t injected = 0;

	for (unsigned int i = 0; i < NR_PEERS; i++)
		injected += __atomic_load_n(&peers[i].injected, __ATOMIC_RELAXED);
	return injected;
}

uint64_t path_injected(enum path path, const struct mailbox *peers)
{
	uint64_t injected = percpu_sum(&counters->path[path].injected);

	return path == PATH_EVENTFD ? injected + injected_by_peers(peers) : injected;
}

static void gather_invariants(struct results *results)
{
	struct figure *figure = results->invariant;

	figure[TORN] = (struct figure){"torn", percpu_sum(&counters->torn)};
	figure[STALE] = (struct figure){"stale", percpu_sum(&counters->stale)};
	figure[STALE_SLOTS] = (struct figure){"stale slots", percpu_sum(&counters->stale_slots)};
	figure[STALE_TRANSLATIONS] =
		(struct figure){"stale translations", percpu_sum(&counters->stale_translations)};
	figure[LEAKED] = (struct figure){
		"irqfds leaked", percpu_sum(&counters->assigned) - percpu_sum(&counters->released)};
}

static void gather_counts(
	struct figure *figure, const struct mailbox *peers, const struct srcu_stats *stats)
{
	figure[BY_PROCESSES] = (struct figure){"by other processes", injected_by_peers(peers)};
	figure[BY_WORKER] = (struct figure){"through the worker", percpu_sum(&counters->by_worker)};
	figure[UPDATES] = (struct figure){"routing updates", percpu_sum(&counters->updates)};
	figure[REPLUGS] = (struct figure){"devices replugged", percpu_sum(&counters->replugs)};
	figure[IRQFDS] = (struct figure){"irqfds bound", percpu_sum(&counters->assigned)};
	figure[SLOT_CHANGES] = (struct figure){"slot changes", percpu_sum(&counters->slot_changes)};
	figure[PAGE_CHANGES] = (struct figure){"page changes", percpu_sum(&counters->remaps)};
	figure[FAULTS] = (struct figure){"faults", percpu_sum(&counters->faults)};
	figure[GRACE_PERIODS] = (struct figure){"grace periods", stats->grace_periods};
	figure[MEMBARRIERS] = (struct figure){"membarriers", stats->membarriers};
}

void results_gather(
	struct results *results, const struct mailbox *peers, const struct srcu_stats *stats)
{
	for (enum path path = 0; path < NR_PATHS; path++) {
		struct path_results *to = &results->path[path];

		to->events.injected = path_injected(path, peers);
		to->events.delivered = percpu_sum(&counters->path[path].delivered);
		to->events.coalesced = percpu_sum(&counters->path[path].coalesced);
		latency_read(path, &to->latency);
	}
	gather_invariants(results);
	gather_counts(results->count, peers, stats);
	results->longest_ns = stats->longest_ns;
}

void results_require(
	struct results *results, bool holds, const char *invariant, const char *format, ...)
{
	va_list ap;

	if (holds)
		return;
	results->broken++;
	fprintf(stderr, "irqfd-demo: %s: ", invariant);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Every event became a pending vector or joined one, and every pending vector was taken. */
static void check_accounts(struct results *results)
{
	uint64_t pending = 0, taken = percpu_sum(&counters->taken);

	for (enum path path = 0; path < NR_PATHS; path++) {
		const struct path_counters *events = &results->path[path].events;

		pending += events->delivered;
		results_require(results, events->injected == events->delivered + events->coalesced,
			"accounts",
			"%" PRIu64 " events injected on path %s, %" PRIu64 " accounted for",
			events->injected, path_name(path), events->delivered + events->coalesced);
	}
	results_require(results, pending == taken, "accounts",
		"%" PRIu64 " vectors were pending, %" PRIu64 " taken", pending, taken);
}

void results_check(struct results *results)
{
	static const char *const means[NR_INVARIANTS] = {
		[LOST] = "sources whose last event no CPU saw",
		[TORN] = "deliveries by a route that no table held",
		[STALE] = "deliveries by a route already replaced",
		[STALE_SLOTS] = "slots that a CPU found after their end",
		[STALE_TRANSLATIONS] = "pages mapped where they no longer are",
		[LINES_UP] = "lines up, or in service, when all is at rest",
		[LEAKED] = "irqfds bound and never released",
	};

	for (unsigned int i = 0; i < NR_INVARIANTS; i++) {
		const struct figure *figure = &results->invariant[i];

		results_require(results, figure->value == 0, figure->name, "%" PRIu64 " %s",
			figure->value, means[i]);
	}
	check_accounts(results);
}
