/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of readers alone, for srcu-bench.cc to register.
 */
#ifndef BENCH_READS_HH
#define BENCH_READS_HH

#include "bench/peer.h"

void register_reads(const peer *p);

/* Those that a section has in which it ends in another thread than it began in. */
void register_down_up();

#endif /* BENCH_READS_HH */
