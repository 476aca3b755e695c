/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of objects that a sequence or a lock guards, for srcu-bench.cc
 * to register.
 */
#ifndef BENCH_SEQS_HH
#define BENCH_SEQS_HH

void register_seqs();

#endif /* BENCH_SEQS_HH */
