/* SPDX-License-Identifier: MIT */
/*
 * The picture on a terminal; view.h says what it keeps to.
 */
#include "view.h"

#include "cells.h"
#include "results.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROWS    24
#define COLUMNS 80

#define BOLD  "\033[1m"
#define PLAIN "\033[m"
#define CLEAR "\033[K" /* the rest of the row */

#define FIRST_VECTOR       32
#define VECTORS_PER_COLUMN ((NR_VECTORS - FIRST_VECTOR) / VIEW_COLUMNS)

_Static_assert(VECTORS_PER_COLUMN *VIEW_COLUMNS == NR_VECTORS - FIRST_VECTOR, "no vector left");

/* Nothing, then ever more. */
#define STEPS 9
static const char *const ascii_steps[STEPS] = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
static const char *const block_steps[STEPS] = {
	" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const *steps = ascii_steps;

bool view_possible(void)
{
	const char *type = getenv("TERM");
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || !type || strcmp(type, "dumb") == 0)
		return false;
	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row >= ROWS &&
	       size.ws_col >= COLUMNS;
}

void view_begin(struct view *view, const struct run_options *options, const struct lapic *lapics)
{
	memset(view, 0, sizeof(*view));
	view->options = options;
	view->lapics = lapics;
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		steps = block_steps;
	/* A picture is one write. */
	setvbuf(stdout, NULL, _IOFBF, 16384);
}

static unsigned int shown_cpus(const struct view *view)
{
	return view->options->cpus < VIEW_CPUS ? view->options->cpus : VIEW_CPUS;
}

void view_look(struct view *view)
{
	view->looks++;
	for (unsigned int cpu = 0; cpu < shown_cpus(view); cpu++)
		for (unsigned int i = 0; i < VIEW_COLUMNS; i++) {
			unsigned int vector = FIRST_VECTOR + i * VECTORS_PER_COLUMN;
			bool pending = false;

			for (unsigned int n = 0; n < VECTORS_PER_COLUMN; n++)
				pending |= lapic_pending(&view->lapics[cpu], vector + n);
			view->pending[cpu][i] += pending;
		}
}

/* One of the steps, the last for @most; anything above nothing is at least the first. */
static void draw_step(uint64_t value, uint64_t most)
{
	uint64_t step = most ? (value * (STEPS - 1) + most - 1) / most : 0;

	fputs(steps[step], stdout);
}

static void row(struct view *view, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void row(struct view *view, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	fputs(CLEAR "\n", stdout);
	view->rows++;
}

static void draw_path(struct view *view, const struct moment *moment, enum path path)
{
	const struct hist *latency = &moment->latency[path];
	uint64_t *trend = view->trend[path], most = 0;

	memmove(trend, trend + 1, (VIEW_TREND - 1) * sizeof(trend[0]));
	trend[VIEW_TREND - 1] = hist_quantile(latency, 0.5);
	for (unsigned int i = 0; i < VIEW_TREND; i++)
		most = trend[i] > most ? trend[i] : most;
	printf("%-8s %11s", path_name(path),
		rate_cell(moment->injected[path], moment->since_ns).text);
	printf(" %9s", time_cell(trend[VIEW_TREND - 1]).text);
	printf(" %9s  ", time_cell(hist_quantile(latency, 0.99)).text);
	for (unsigned int i = 0; i < VIEW_TREND; i++)
		draw_step(trend[i], most);
	row(view, " ");
}

static void draw_cpu(struct view *view, unsigned int cpu)
{
	printf("%-8u ", cpu);
	for (unsigned int i = 0; i < VIEW_COLUMNS; i++) {
		if (view->pending[cpu][i])
			draw_step(view->pending[cpu][i], view->looks);
		else
			putchar('.');
	}
	memset(view->pending[cpu], 0, sizeof(view->pending[cpu]));
	row(view, " ");
}

static void draw_cpus(struct view *view)
{
	unsigned int shown = shown_cpus(view);

	row(view, BOLD "%-8s %-*s" PLAIN, "CPU", VIEW_COLUMNS,
		"pending vectors, from 32 on, 4 to a column");
	for (unsigned int cpu = 0; cpu < shown; cpu++)
		draw_cpu(view, cpu);
	if (shown < view->options->cpus)
		row(view, "and %u more", view->options->cpus - shown);
	view->looks = 0;
}

static void draw_rates(struct view *view, const struct moment *moment)
{
	struct cell cell[NR_RATES];

	for (enum rate rate = 0; rate < NR_RATES; rate++)
		cell[rate] = rate_cell(moment->count[rate], moment->since_ns);
	row(view, "vectors  %9s   worker   %9s   faults %9s", cell[RATE_VECTORS].text,
		cell[RATE_WORKER].text, cell[RATE_FAULTS].text);
	row(view, "routing  %9s   slots    %9s   pages  %9s   replugs %9s", cell[RATE_UPDATES].text,
		cell[RATE_SLOTS].text, cell[RATE_PAGES].text, cell[RATE_REPLUGS].text);
}

void view_draw(struct view *view, const struct moment *moment)
{
	const struct run_options *options = view->options;

	if (view->rows)
		printf("\033[%uA", view->rows);
	view->rows = 0;
	row(view, BOLD "%8.1f s" PLAIN "  %u CPU%s, %u+%u devices, %u other processes, %u routes",
		(double)moment->at_ns / 1e9, options->cpus, options->cpus == 1 ? "" : "s",
		options->devices, NR_LEVELS, NR_PEERS, options->routes);
	row(view, " ");
	row(view, BOLD "%-8s %11s %9s %9s  %s" PLAIN, "path", "events", "p50", "p99", "p50 before");
	for (enum path path = 0; path < NR_PATHS; path++)
		draw_path(view, moment, path);
	row(view, " ");
	draw_cpus(view);
	row(view, " ");
	draw_rates(view, moment);
	row(view,
		"torn %" PRIu64 ", stale %" PRIu64 ", stale slots %" PRIu64
		", stale translations %" PRIu64,
		percpu_sum(&counters->torn), percpu_sum(&counters->stale),
		percpu_sum(&counters->stale_slots), percpu_sum(&counters->stale_translations));
	fflush(stdout);
}
