/* SPDX-License-Identifier: MIT */
/*
 * A run's lines and its table; report.h says for whom.
 */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *path_name(enum path path)
{
	static const char *const names[NR_PATHS] = {
		[PATH_DIRECT] = "direct",
		[PATH_EVENTFD] = "eventfd",
		[PATH_SIGNAL] = "signal",
	};

	return names[path];
}

/* A column's text. */
struct cell {
	char text[24];
};

/* Three digits and a unit; a dash when nothing was measured. */
static struct cell time_cell(uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double value = (double)ns;
	struct cell cell;
	size_t unit = 0;

	if (ns == 0)
		return (struct cell){"-"};
	while (value >= 999.5 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(cell.text, sizeof(cell.text), "%.*f %s", unit && value < 99.95 ? 1 : 0, value,
		units[unit]);
	return cell;
}

static struct cell rate_cell(uint64_t events, uint64_t ns)
{
	double rate = ns ? (double)events * 1e9 / (double)ns : 0;
	struct cell cell;

	if (rate >= 999950)
		snprintf(cell.text, sizeof(cell.text), "%.2f M/s", rate / 1e6);
	else if (rate >= 999.5)
		snprintf(cell.text, sizeof(cell.text), "%.1f k/s", rate / 1e3);
	else
		snprintf(cell.text, sizeof(cell.text), "%.0f /s", rate);
	return cell;
}

uint64_t report_injected(const struct report *report, enum path path)
{
	uint64_t injected = percpu_sum(&counters->path[path].injected);

	if (path == PATH_EVENTFD)
		injected += __atomic_load_n(&report->peer->injected, __ATOMIC_RELAXED);
	return injected;
}

void report_begin(
	struct report *report, const struct run_options *options, const struct mailbox *peer)
{
	memset(report, 0, sizeof(*report));
	report->terminal = isatty(STDOUT_FILENO);
	report->peer = peer;
	report->began_ns = now_ns();
	report->line_ns = report->began_ns;
	printf("%u CPU%s, %u device%s and 1 other process, %u routes, %g s, seed %" PRIu64 "\n\n",
		options->cpus, options->cpus == 1 ? "" : "s", options->devices,
		options->devices == 1 ? "" : "s", options->routes, options->duration,
		options->seed);
	printf("%7s", "time");
	for (enum path path = 0; path < NR_PATHS; path++)
		printf("  %9s %8s", path_name(path), "p50");
	printf("  %9s\n", "routing");
	fflush(stdout);
}

/* p50 of the events since the line before. */
static uint64_t recent_p50(struct report *report, enum path path)
{
	struct hist now, recent;

	latency_read(path, &now);
	for (size_t i = 0; i < HIST_BUCKETS; i++)
		recent.bucket[i] = now.bucket[i] - report->latency[path].bucket[i];
	report->latency[path] = now;
	return hist_quantile(&recent, 0.5);
}

void report_line(struct report *report)
{
	uint64_t now = now_ns(), since = now - report->line_ns;
	uint64_t updates = percpu_sum(&counters->updates);

	printf("%s%5.1f s", report->terminal ? "\r" : "", (double)(now - report->began_ns) / 1e9);
	for (enum path path = 0; path < NR_PATHS; path++) {
		uint64_t injected = report_injected(report, path);

		printf("  %9s", rate_cell(injected - report->injected[path], since).text);
		printf(" %8s", time_cell(recent_p50(report, path)).text);
		report->injected[path] = injected;
	}
	printf("  %9s%s", rate_cell(updates - report->updates, since).text,
		report->terminal ? "" : "\n");
	fflush(stdout);
	report->updates = updates;
	report->line_ns = now;
}

static void print_path(const struct report *report, enum path path)
{
	struct hist hist;

	latency_read(path, &hist);
	printf("%-8s %12" PRIu64 " %12" PRIu64 " %12" PRIu64, path_name(path),
		report_injected(report, path), percpu_sum(&counters->path[path].delivered),
		percpu_sum(&counters->path[path].coalesced));
	printf(" %10s", time_cell(hist_quantile(&hist, 0.5)).text);
	printf(" %10s\n", time_cell(hist_quantile(&hist, 0.99)).text);
}

static void print_value(const char *name, uint64_t value)
{
	printf("%-20s %12" PRIu64 "\n", name, value);
}

void report_end(const struct report *report, uint64_t lost, const struct srcu_stats *stats)
{
	printf("%s\n%-8s %12s %12s %12s %10s %10s\n", report->terminal ? "\n" : "", "path",
		"injected", "delivered", "coalesced", "p50", "p99");
	for (enum path path = 0; path < NR_PATHS; path++)
		print_path(report, path);
	putchar('\n');
	print_value("lost", lost);
	print_value("torn", percpu_sum(&counters->torn));
	print_value("stale", percpu_sum(&counters->stale));
	putchar('\n');
	print_value(
		"by the other process", __atomic_load_n(&report->peer->injected, __ATOMIC_RELAXED));
	print_value("through the worker", percpu_sum(&counters->by_worker));
	print_value("routing updates", percpu_sum(&counters->updates));
	print_value("grace periods", stats->grace_periods);
	print_value("membarriers", stats->membarriers);
	printf("%-20s %12s\n", "longest grace period", time_cell(stats->longest_ns).text);
	fflush(stdout);
}
