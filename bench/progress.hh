/* SPDX-License-Identifier: MIT */
/*
 * What runs, how much of the run is behind it, and the time that is left: a line
 * on standard error.
 */
#ifndef BENCH_PROGRESS_HH
#define BENCH_PROGRESS_HH

#include <benchmark/benchmark.h>

#include <string>

/* @list: the benchmarks' full names, a line each; @repetitions: of each, if it names none. */
void progress_begin(const std::string &list, unsigned long repetitions);

/* The function of benchmark @name is about to be run. */
void progress_step(const std::string &name, const benchmark::State &state);

/* Something else is about to be printed. */
void progress_clear();

#endif /* BENCH_PROGRESS_HH */
