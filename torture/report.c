/* SPDX-License-Identifier: MIT */
/* The lines of a run, and how it ended, for people or as JSON. */
#include "torture.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const struct options *chosen;
static uint64_t began_ns;
static bool terminal;

void report_begin(const struct options *options)
{
	chosen = options;
	began_ns = now_ns();
	terminal = isatty(STDOUT_FILENO);
	if (options->json)
		return;
	printf("%g s, seed %" PRIu64 ", %u domain%s at once\n", options->duration, options->seed,
		options->domains, options->domains == 1 ? "" : "s");
	fflush(stdout);
}

void report_line(uint64_t rounds)
{
	if (chosen->json)
		return;
	printf("%s%6.0f s  %" PRIu64 " rounds  %" PRIu64 " sections  %" PRIu64 " waits  %" PRIu64
	       " callbacks  %" PRIu64 " failures%s",
		terminal ? "\r" : "", (double)(now_ns() - began_ns) / 1e9, rounds,
		tallied(COUNT_SECTIONS), tallied(COUNT_WAITS), tallied(COUNT_CALLBACKS),
		all_failures(), terminal ? "" : "\n");
	fflush(stdout);
}

static const char *verdict(void)
{
	return all_failures() ? "FAILURE" : "SUCCESS";
}

static void print_json(uint64_t rounds)
{
	printf("{\"verdict\": \"%s\", \"seed\": %" PRIu64 ", \"seconds\": %.1f, \"domains\": %u, "
	       "\"rounds\": %" PRIu64 ", \"failures\": {",
		verdict(), chosen->seed, (double)(now_ns() - began_ns) / 1e9, chosen->domains,
		rounds);
	for (enum check check = 0; check < NR_CHECKS; check++)
		printf("%s\"%s\": %" PRIu64, check ? ", " : "", check_name(check), failures(check));
	printf("}, \"counts\": {");
	for (enum count count = 0; count < NR_COUNTS; count++)
		printf("%s\"%s\": %" PRIu64, count ? ", " : "", count_name(count), tallied(count));
	printf("}, \"grace_periods\": %" PRIu64 ", \"longest_ns\": %" PRIu64 "}\n", grace_periods,
		longest_ns);
}

static void print_table(uint64_t rounds)
{
	if (terminal)
		putchar('\n');
	printf("\n%-16s %12" PRIu64 "\n", "rounds", rounds);
	for (enum count count = 0; count < NR_COUNTS; count++)
		printf("%-16s %12" PRIu64 "\n", count_name(count), tallied(count));
	printf("%-16s %12" PRIu64 "\n", "grace periods", grace_periods);
	printf("%-16s %9" PRIu64 " us\n\n", "longest wait", longest_ns / NS_PER_US);
	for (enum check check = 0; check < NR_CHECKS; check++)
		if (failures(check))
			printf("failures of %-4s %12" PRIu64 "\n", check_name(check),
				failures(check));
	printf("%s\n", verdict());
}

/* False: it could not be written. */
bool report_end(uint64_t rounds)
{
	if (chosen->json)
		print_json(rounds);
	else
		print_table(rounds);
	return !fflush(stdout) && !ferror(stdout);
}
