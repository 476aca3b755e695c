/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of interrupts, injected and routed anew, for srcu-bench.cc to
 * register.
 */
#ifndef BENCH_INJECTS_HH
#define BENCH_INJECTS_HH

void register_injects();

#endif /* BENCH_INJECTS_HH */
