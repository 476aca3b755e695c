/* SPDX-License-Identifier: MIT */
/*
 * What a person gets of a run where there is no terminal to draw on, and what
 * everyone gets at its end: lines, and the report.  Writes standard output.
 */
#ifndef REPORT_H
#define REPORT_H

#include "progress.h"
#include "results.h"

/* What runs: a line. */
void report_heading(const struct run_options *options);

/* The names of the columns; then a line for each moment. */
void report_columns(void);
void report_line(const struct moment *moment);

/* Tables of events, invariants, counts and latencies. */
void report_end(const struct results *results);

#endif /* REPORT_H */
