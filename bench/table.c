/* SPDX-License-Identifier: MIT */
/*
 * The table of the figures, for a terminal.
 */
#include <string.h>

#include "bench/figures.h"

/* What has been printed. */
struct table {
	FILE *to;
	unsigned int rows, holds, missed, noisy;
};

static void print_head(FILE *to)
{
	fprintf(to,
		"\nFigures: medians of the repetitions (read, read_nested, read_length, "
		"read_beside, percpu/inc, seq_read, seq_write, seq_write_copy: CPU time, ns; "
		"read_threads: cpu_ns; "
		"gp_concurrent: calls per second; inject/direct/threads: injections per second; "
		"backlog: peak; flood: drain_ns; others: p50, ns)\n");
	fprintf(to, "%-53s %12s  %-53s %12s  %8s  %-17s  %s\n", "figure", "median", "beside",
		"median", "ratio", "quartiles", "bound");
}

static void print_quartiles(FILE *to, const struct result *r)
{
	char quartiles[32] = "-";

	if (r->high > 0)
		snprintf(quartiles, sizeof(quartiles), "%.3g-%.3g", r->low, r->high);
	fprintf(to, "%-17s", quartiles);
}

static void print_row(void *arg, const struct result *r)
{
	const struct figure *f = r->figure;
	struct table *t = arg;

	if (!t->rows++)
		print_head(t->to);
	fprintf(t->to, "%-53s %12.2f  ", f->name, r->ours);
	if (f->beside)
		fprintf(t->to, "%-53s %12.2f  %8.3g  ", f->beside, r->theirs, r->value);
	else
		fprintf(t->to, "%-53s %12s  %8s  ", "-", "-", "-");
	print_quartiles(t->to, r);
	if (f->kind != NO_BOUND)
		fprintf(t->to, "  %s %4.2f  %s", f->kind == AT_LEAST ? ">=" : "<=", f->bound,
			r->verdict);
	fputc('\n', t->to);
	t->holds += !strcmp(r->verdict, "holds");
	t->missed += !strcmp(r->verdict, "missed");
	t->noisy += !strcmp(r->verdict, "noisy");
}

void figures_print(FILE *to)
{
	struct table t = {.to = to};

	figures_each(print_row, &t);
	if (t.holds + t.missed + t.noisy)
		fprintf(to, "Bounds: %u hold, %u missed, %u noisy (between the quartiles)\n",
			t.holds, t.missed, t.noisy);
	fflush(to);
}
