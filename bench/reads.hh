/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of readers alone, for srcu-bench.cc to register.
 */
#ifndef BENCH_READS_HH
#define BENCH_READS_HH

#include "bench/peer.h"

void register_reads(const peer *p);

#endif /* BENCH_READS_HH */
