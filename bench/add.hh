/* SPDX-License-Identifier: MIT */
/*
 * Registration of a benchmark: all go through here.
 */
#ifndef BENCH_ADD_HH
#define BENCH_ADD_HH

#include <benchmark/benchmark.h>

#include <string>

#include "bench/noise.h"
#include "bench/progress.hh"

/* Between the runs: what is timed here is nobody's result. */
inline void before_run(const std::string &name, const benchmark::State &state)
{
	if (state.thread_index())
		return;
	progress_step(name, state);
	noise_probe();
}

/* Register @function(state, @args...) as @name. */
template <class Function, class... Args>
benchmark::internal::Benchmark *add(const std::string &name, Function *function, Args... args)
{
	return benchmark::RegisterBenchmark(
		name.c_str(), [name, function, args...](benchmark::State &state) {
			before_run(name, state);
			function(state, args...);
		});
}

#endif /* BENCH_ADD_HH */
