/* SPDX-License-Identifier: MIT */
/*
 * The figures and their table.
 *
 * A ratio is that of the two medians.  Its spread is that of the ratios of one
 * repetition each, the k-th of the one to the k-th of the other: repetitions
 * are interleaved at random, so the k-th of each lie near each other in time.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figures.h"

struct series {
	const char *name;
	double *values; /* by repetition */
	size_t nr;
	double median; /* as reported; 0 when it was not */
};

/* What a bound says of the ratio; a figure without one is only shown. */
enum bound_kind { NO_BOUND, AT_MOST, AT_LEAST };

struct figure {
	const char *name;
	const char *beside;
	enum bound_kind kind;
	double bound;
};

#define GP(who, load) "gp/" who "/" load
#define ALONE         "readers:0/in_ns:0/out_ns:0"
#define EMPTY         "readers:1/in_ns:0/out_ns:0"
#define BUSY          "readers:1/in_ns:1000/out_ns:1000"

#define CONCURRENT(who, nr) "gp_concurrent/" who "/updaters:" #nr "/readers:1"

static const struct figure figures[] = {
	{"read/srcu_fast", "read/urcu_memb", AT_MOST, 1.05},
	{"read/srcu", "read/urcu_memb", AT_MOST, 1.4},
	{"read/srcu_fast_ptr", "read/urcu_memb", NO_BOUND, 0},
	{"read/srcu_fast_pic", "read/urcu_memb", NO_BOUND, 0},
	{"read/srcu_pic", "read/urcu_memb", NO_BOUND, 0},
	{"read/srcu_fenced", "read/urcu_mb", AT_MOST, 0.4},
	{GP("srcu", ALONE), GP("urcu_memb", ALONE), NO_BOUND, 0},
	{GP("srcu", EMPTY), GP("urcu_memb", EMPTY), AT_MOST, 0.6},
	{GP("srcu", BUSY), GP("urcu_memb", BUSY), AT_MOST, 0.6},
	{GP("srcu_fenced", ALONE), GP("urcu_mb", ALONE), NO_BOUND, 0},
	{GP("srcu_fenced", EMPTY), GP("urcu_mb", EMPTY), AT_MOST, 0.8},
	{GP("srcu_fenced", BUSY), GP("urcu_mb", BUSY), AT_MOST, 0.8},
	{CONCURRENT("srcu", 1), CONCURRENT("urcu_memb", 1), NO_BOUND, 0},
	{CONCURRENT("srcu", 8), CONCURRENT("urcu_memb", 8), AT_LEAST, 1.5},
};

#define NR_FIGURES (sizeof(figures) / sizeof(figures[0]))

/* Every benchmark that is a side of a figure, once. */
static struct series all_series[2 * NR_FIGURES];

static bool in_a_figure(const char *name)
{
	for (size_t i = 0; i < NR_FIGURES; i++)
		if (!strcmp(figures[i].name, name) || !strcmp(figures[i].beside, name))
			return true;
	return false;
}

/* The series of @name, new when there is none; NULL when it is in no figure. */
static struct series *series_of(const char *name)
{
	struct series *s = all_series;

	if (!in_a_figure(name))
		return NULL;
	while (s->name && strcmp(s->name, name))
		s++;
	if (!s->name)
		s->name = strdup(name);
	return s->name ? s : NULL;
}

const char *figures_counter(const char *name)
{
	if (!strncmp(name, "gp/", strlen("gp/")))
		return "p50";
	if (!strncmp(name, "gp_concurrent/", strlen("gp_concurrent/")))
		return "calls/s";
	return NULL;
}

void figures_add(const char *name, double value)
{
	struct series *s = series_of(name);
	double *more;

	if (!s)
		return;
	more = realloc(s->values, (s->nr + 1) * sizeof(*more));
	if (!more)
		return;
	s->values = more;
	s->values[s->nr++] = value;
}

void figures_add_median(const char *name, double value)
{
	struct series *s = series_of(name);

	if (s)
		s->median = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts; nr is not 0. */
static double median(double *v, size_t nr)
{
	qsort(v, nr, sizeof(*v), compare);
	return (v[(nr - 1) / 2] + v[nr / 2]) / 2;
}

/* 0 when the series has no result. */
static double series_median(const struct series *s)
{
	double *sorted, m;

	if (!s->nr)
		return s->median;
	sorted = malloc(s->nr * sizeof(*sorted));
	if (!sorted)
		return 0;
	memcpy(sorted, s->values, s->nr * sizeof(*sorted));
	m = median(sorted, s->nr);
	free(sorted);
	return m;
}

/* The quartiles of the ratios by repetition, as text; "-" when there are too few. */
static void spread(const struct series *a, const struct series *b, char *text, size_t size)
{
	size_t nr = a->nr < b->nr ? a->nr : b->nr;
	double *ratios = nr >= 4 ? malloc(nr * sizeof(*ratios)) : NULL;

	snprintf(text, size, "-");
	if (!ratios)
		return;
	for (size_t i = 0; i < nr; i++)
		ratios[i] = a->values[i] / b->values[i];
	qsort(ratios, nr, sizeof(*ratios), compare);
	snprintf(text, size, "%.2f-%.2f", ratios[nr / 4], ratios[nr - 1 - nr / 4]);
	free(ratios);
}

static bool have_both(const struct figure *f)
{
	const struct series *a = series_of(f->name), *b = series_of(f->beside);

	return a && b && series_median(a) > 0 && series_median(b) > 0;
}

static const char *verdict(const struct figure *f, double ratio)
{
	bool holds = f->kind == AT_LEAST ? ratio >= f->bound : ratio <= f->bound;

	return holds ? "holds" : "missed";
}

static void print_figure(FILE *to, const struct figure *f)
{
	const struct series *a = series_of(f->name), *b = series_of(f->beside);
	double ours = series_median(a), theirs = series_median(b);
	double ratio = ours / theirs;
	char quartiles[32];

	spread(a, b, quartiles, sizeof(quartiles));
	fprintf(to, "%-43s %9.2f  %-42s %9.2f  %5.2f  ", f->name, ours, f->beside, theirs, ratio);
	if (f->kind == NO_BOUND)
		fputs(quartiles, to);
	else
		fprintf(to, "%-10s  %s %4.2f  %s", quartiles,
			f->kind == AT_LEAST ? ">=" : "<=", f->bound, verdict(f, ratio));
	fputc('\n', to);
}

void figures_print(FILE *to)
{
	size_t i = 0;

	while (i < NR_FIGURES && !have_both(&figures[i]))
		i++;
	if (i == NR_FIGURES)
		return;
	fprintf(to,
		"\nFigures: medians of the repetitions (read: CPU time of a lock and an unlock, "
		"ns; gp: p50, ns; gp_concurrent: calls per second)\n");
	fprintf(to, "%-43s %9s  %-42s %9s  %5s  %-10s  %s\n", "figure", "median", "beside",
		"median", "ratio", "quartiles", "bound");
	for (; i < NR_FIGURES; i++)
		if (have_both(&figures[i]))
			print_figure(to, &figures[i]);
	fflush(to);
}
