/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of grace periods, for srcu-bench.cc to register.
 */
#ifndef BENCH_WAITS_HH
#define BENCH_WAITS_HH

#include "bench/peer.h"

void register_waits(const peer *p);

#endif /* BENCH_WAITS_HH */
