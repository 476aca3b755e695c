/* SPDX-License-Identifier: MIT */
/*
 * Results as JSON; export.h.  No name here has a character that JSON would want
 * escaped.
 */
#include "export.h"

#include <inttypes.h>

/* A figure's name as a key: "stale slots" is stale_slots. */
static void write_key(const char *name, FILE *to)
{
	fputc('"', to);
	for (; *name; name++)
		fputc(*name == ' ' ? '_' : *name, to);
	fputs("\": ", to);
}

static void write_figures(const char *name, const struct figure *figures, unsigned int nr, FILE *to)
{
	fprintf(to, "  \"%s\": {", name);
	for (unsigned int i = 0; i < nr; i++) {
		fputs(i ? ",\n    " : "\n    ", to);
		write_key(figures[i].name, to);
		fprintf(to, "%" PRIu64, figures[i].value);
	}
	fputs("\n  },\n", to);
}

/* The buckets that have events; in the last one there may be any that is longer. */
static void write_latencies(const struct hist *hist, FILE *to)
{
	uint64_t bucket[HIST_DOUBLINGS];
	const char *separator = "";

	hist_by_doubling(hist, bucket);
	fputs("      \"latency\": [", to);
	for (unsigned int i = 0; i < HIST_DOUBLINGS; i++) {
		if (!bucket[i])
			continue;
		fprintf(to, "%s{\"below_ns\": %" PRIu64 ", \"events\": %" PRIu64 "}", separator,
			(uint64_t)HIST_FIRST_NS << i, bucket[i]);
		separator = ", ";
	}
	fputs("]\n", to);
}

static void write_path(const struct path_results *path, FILE *to)
{
	fprintf(to,
		"      \"injected\": %" PRIu64 ", \"delivered\": %" PRIu64
		", \"coalesced\": %" PRIu64 ",\n",
		path->events.injected, path->events.delivered, path->events.coalesced);
	fprintf(to, "      \"p50_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64 ",\n",
		hist_quantile(&path->latency, 0.5), hist_quantile(&path->latency, 0.99));
	write_latencies(&path->latency, to);
}

static void write_options(const struct results *results, FILE *to)
{
	const struct run_options *options = results->options;

	fprintf(to, "  \"seconds\": %.3f,\n", results->seconds);
	fprintf(to, "  \"cpus\": %u,\n  \"devices\": %u,\n", options->cpus, options->devices);
	fprintf(to, "  \"level_devices\": %d,\n  \"processes\": %d,\n", NR_LEVELS, NR_PEERS);
	fprintf(to, "  \"routes\": %u,\n  \"seed\": %" PRIu64 ",\n", options->routes,
		options->seed);
}

void json_write(const struct results *results, FILE *to)
{
	fprintf(to, "{\n  \"good\": %s,\n", results->broken ? "false" : "true");
	write_options(results, to);
	fputs("  \"paths\": {\n", to);
	for (enum path path = 0; path < NR_PATHS; path++) {
		fprintf(to, "    \"%s\": {\n", path_name(path));
		write_path(&results->path[path], to);
		fputs(path + 1 < NR_PATHS ? "    },\n" : "    }\n", to);
	}
	fputs("  },\n", to);
	write_figures("invariants", results->invariant, NR_INVARIANTS, to);
	write_figures("counts", results->count, NR_COUNTS, to);
	fprintf(to, "  \"longest_grace_period_ns\": %" PRIu64 "\n}\n", results->longest_ns);
}
