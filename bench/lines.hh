/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of domains that share cache lines, for srcu-bench.cc to register.
 */
#ifndef BENCH_LINES_HH
#define BENCH_LINES_HH

void register_lines();

#endif /* BENCH_LINES_HH */
