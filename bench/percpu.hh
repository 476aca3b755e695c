/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of per-CPU counters and of polling, for srcu-bench.cc to register.
 */
#ifndef BENCH_PERCPU_HH
#define BENCH_PERCPU_HH

void register_percpu();

#endif /* BENCH_PERCPU_HH */
