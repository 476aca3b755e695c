/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of callbacks, of updates beside a sleeping reader and of scans,
 * for srcu-bench.cc to register.
 */
#ifndef BENCH_UPDATES_HH
#define BENCH_UPDATES_HH

#include <cstddef>

/* @flood: callbacks in a flood. */
void register_updates(std::size_t flood);

#endif /* BENCH_UPDATES_HH */
