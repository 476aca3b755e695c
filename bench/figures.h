/* SPDX-License-Identifier: MIT */
/*
 * The figures: which results are set beside which peer's, and the table of them
 * that ends a run.  The reporter puts results in; nothing here measures.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The counter that is the result of benchmark @name for the figures; NULL: its time in ns. */
const char *figures_counter(const char *name);

/* Put in one repetition's result of benchmark @name, if it is in a figure. */
void figures_add(const char *name, double value);

/* The median over the repetitions, where they were not reported one by one. */
void figures_add_median(const char *name, double value);

/* Print the figures whose two sides were both run; nothing when there is none. */
void figures_print(FILE *to);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_FIGURES_H */
