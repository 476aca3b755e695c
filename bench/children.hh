/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of processes that do nothing else, for srcu-bench.cc to register.
 */
#ifndef BENCH_CHILDREN_HH
#define BENCH_CHILDREN_HH

void register_children();

#endif /* BENCH_CHILDREN_HH */
