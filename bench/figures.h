/* SPDX-License-Identifier: MIT */
/*
 * The figures: which results are set beside which peer's, and what comes of it.
 * The reporter puts results in; nothing here measures or prints.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a bound says of the ratio; a figure without one is only shown. */
enum bound_kind { NO_BOUND, AT_MOST, AT_LEAST };

struct figure {
	const char *name;
	const char *beside; /* NULL: nothing, the bound is on the median itself */
	enum bound_kind kind;
	double bound;
};

/* A figure of which both sides were run. */
struct result {
	const struct figure *figure;
	const char *unit;
	double ours, theirs; /* medians; theirs is 0 where nothing is beside */
	double value;        /* what the bound is on: the ratio, or ours */
	double low, high;    /* its quartiles; 0 when there were too few repetitions */
	const char *verdict; /* "holds", "missed", "noisy"; "" without a bound */
};

/* The counter that is the result of benchmark @name for the figures; NULL: its time in ns. */
const char *figures_counter(const char *name);

/* Put in one repetition's result of benchmark @name, if it is in a figure. */
void figures_add(const char *name, double value);

/* The median over the repetitions, where they were not reported one by one. */
void figures_add_median(const char *name, double value);

/* Pass each result to @take, in the table's order. */
void figures_each(void (*take)(void *arg, const struct result *r), void *arg);

/* table.c: print the results, and how many bounds hold; nothing when there is none. */
void figures_print(FILE *to);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_FIGURES_H */
