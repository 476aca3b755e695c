/* SPDX-License-Identifier: MIT */
/*
 * A run's lines and its report; report.h says for whom.
 */
#include "report.h"

#include "cells.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void report_heading(const struct run_options *options)
{
	printf("%u CPU%s, %u+%u devices, %u other processes, %u routes, %g s, seed %" PRIu64 "\n\n",
		options->cpus, options->cpus == 1 ? "" : "s", options->devices, NR_LEVELS, NR_PEERS,
		options->routes, options->duration, options->seed);
}

void report_columns(void)
{
	printf("%7s", "time");
	for (enum path path = 0; path < NR_PATHS; path++)
		printf("  %9s %8s", path_name(path), "p50");
	printf("  %9s  %9s  %9s\n", "routing", "slots", "replugs");
	fflush(stdout);
}

void report_line(const struct moment *moment)
{
	printf("%5.1f s", (double)moment->at_ns / 1e9);
	for (enum path path = 0; path < NR_PATHS; path++) {
		printf("  %9s", rate_cell(moment->injected[path], moment->since_ns).text);
		printf(" %8s", time_cell(hist_quantile(&moment->latency[path], 0.5)).text);
	}
	printf("  %9s", rate_cell(moment->count[RATE_UPDATES], moment->since_ns).text);
	printf("  %9s", rate_cell(moment->count[RATE_SLOTS], moment->since_ns).text);
	printf("  %9s\n", rate_cell(moment->count[RATE_REPLUGS], moment->since_ns).text);
	fflush(stdout);
}

static void print_paths(const struct results *results)
{
	printf("%-8s %12s %12s %12s %10s %10s\n", "path", "injected", "delivered", "coalesced",
		"p50", "p99");
	for (enum path path = 0; path < NR_PATHS; path++) {
		const struct path_counters *events = &results->path[path].events;
		const struct hist *latency = &results->path[path].latency;

		printf("%-8s %12" PRIu64 " %12" PRIu64 " %12" PRIu64, path_name(path),
			events->injected, events->delivered, events->coalesced);
		printf(" %10s", time_cell(hist_quantile(latency, 0.5)).text);
		printf(" %10s\n", time_cell(hist_quantile(latency, 0.99)).text);
	}
	putchar('\n');
}

static void print_figures(const struct figure *figures, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		printf("%-20s %12" PRIu64 "\n", figures[i].name, figures[i].value);
}

#define BAR_WIDTH 9

/* A share of a path's events, in figures and as a bar in proportion to the greatest. */
static void print_share(uint64_t events, uint64_t most, uint64_t total)
{
	char bar[BAR_WIDTH + 1] = "";
	size_t length = most ? (size_t)((events * BAR_WIDTH + most - 1) / most) : 0;

	if (!events) {
		printf(" %17s", "");
		return;
	}
	memset(bar, '#', length);
	printf("  %5.1f%% %-*s", 100 * (double)events / (double)total, BAR_WIDTH, bar);
}

static uint64_t greatest(const uint64_t of[HIST_DOUBLINGS])
{
	uint64_t most = 0;

	for (unsigned int i = 0; i < HIST_DOUBLINGS; i++)
		most = of[i] > most ? of[i] : most;
	return most;
}

/* A row for each doubling of the latency that any path has, and those between. */
static void print_latencies(const struct results *results)
{
	uint64_t bucket[NR_PATHS][HIST_DOUBLINGS], row[HIST_DOUBLINGS] = {0};
	unsigned int first = 0, end = HIST_DOUBLINGS;

	printf("\n%-9s", "latency");
	for (enum path path = 0; path < NR_PATHS; path++) {
		printf(" %-17s", path_name(path));
		hist_by_doubling(&results->path[path].latency, bucket[path]);
		for (unsigned int i = 0; i < HIST_DOUBLINGS; i++)
			row[i] += bucket[path][i];
	}
	putchar('\n');
	while (first < end && !row[first])
		first++;
	while (end > first && !row[end - 1])
		end--;
	for (unsigned int i = first; i < end; i++) {
		printf("< %7s", time_cell((uint64_t)HIST_FIRST_NS << i).text);
		for (enum path path = 0; path < NR_PATHS; path++)
			print_share(bucket[path][i], greatest(bucket[path]),
				hist_total(&results->path[path].latency));
		putchar('\n');
	}
}

void report_end(const struct results *results)
{
	putchar('\n');
	print_paths(results);
	print_figures(results->invariant, NR_INVARIANTS);
	putchar('\n');
	print_figures(results->count, NR_COUNTS);
	printf("%-20s %12s\n", "longest grace period", time_cell(results->longest_ns).text);
	print_latencies(results);
	fflush(stdout);
}
