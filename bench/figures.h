/* SPDX-License-Identifier: MIT */
/*
 * The figures: which results are set beside which peer's, and the table of them
 * that ends a run.  The reporter puts results in; nothing here measures.
 */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdbool.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Does the figure of benchmark @name take the p50 of its times, not their mean? */
bool figures_take_p50(const char *name);

/* Put in one repetition's result of benchmark @name, in ns, if it is in a figure. */
void figures_add(const char *name, double ns);

/* The median over the repetitions, where they were not reported one by one. */
void figures_add_median(const char *name, double ns);

/* Print the figures whose two sides were both run; nothing when there is none. */
void figures_print(FILE *to);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_FIGURES_H */
