/* SPDX-License-Identifier: MIT */
/*
 * A run's results for other programs: as JSON, and as a plot by gnuplot.
 */
#ifndef EXPORT_H
#define EXPORT_H

#include "results.h"

#include <stdbool.h>
#include <stdio.h>

/* The results as one JSON object. */
void json_write(const struct results *results, FILE *to);

/* Dies, with a message, when gnuplot cannot be run: before a run, not after it. */
void plot_probe(void);

/*
 * Plot the latencies, as SVG, to the descriptor @to.  Returns whether gnuplot
 * succeeded; why it did not has been said.
 */
bool plot_write(const struct results *results, int to);

#endif /* EXPORT_H */
