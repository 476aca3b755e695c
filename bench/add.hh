/* SPDX-License-Identifier: MIT */
/*
 * Registration of a benchmark: all go through here.
 */
#ifndef BENCH_ADD_HH
#define BENCH_ADD_HH

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

#include "bench/noise.h"
#include "bench/progress.hh"
#include "bench/shim.h"

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

/* A fixed number of iterations, of @batches batches, or of fewer in a quick run. */
inline benchmark::IterationCount iterations(std::size_t batches, std::size_t batch)
{
	return static_cast<benchmark::IterationCount>(bench_scale(batches) * batch);
}

#endif /* BENCH_ADD_HH */
