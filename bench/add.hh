/* SPDX-License-Identifier: MIT */
/*
 * Registration of a benchmark: all go through here.
 */
#ifndef BENCH_ADD_HH
#define BENCH_ADD_HH

#include <benchmark/benchmark.h>

#include <string>

/* Register @function(state, @args...) as @name. */
template <class Function, class... Args>
benchmark::internal::Benchmark *add(const std::string &name, Function *function, Args... args)
{
	return benchmark::RegisterBenchmark(name.c_str(),
		[function, args...](benchmark::State &state) { function(state, args...); });
}

#endif /* BENCH_ADD_HH */
