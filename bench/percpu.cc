/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of per-CPU counters and of polling.  As in srcu-bench.cc, what
 * is timed is C.
 */
#include <benchmark/benchmark.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "bench/add.hh"
#include "bench/batches.hh"
#include "bench/percpu.hh"
#include "bench/scan.h"
#include "bench/shim.h"

namespace
{

/* An iteration is one CPU's share of a scan. */
void scan(benchmark::State &state, std::size_t stride, std::size_t cpus)
{
	void *memory = scan_alloc(stride, cpus);

	if (!memory) {
		state.SkipWithError(std::strerror(errno));
		return;
	}
	pin_here();
	while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(cpus)))
		benchmark::DoNotOptimize(scan_sum(memory, stride, cpus));
	scan_free(memory, stride, cpus);
}

void increments(benchmark::State &state, void (*run_batch)(long n))
{
	if (int error = inc_prepare()) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	pin_here();
	time_batches(state, run_batch);
}

void poll_calls(benchmark::State &state, void (*run_batch)(long n))
{
	pin_here();
	time_batches(state, run_batch);
}

} // namespace

void register_percpu()
{
	static const std::size_t strides[] = {128, 4096, 4160, 65536};
	static const std::size_t sizes[] = {64, 1024, 4096};

	for (std::size_t stride : strides)
		for (std::size_t cpus : sizes)
			add("percpu/scan/stride:" + std::to_string(stride) +
					"/cpus:" + std::to_string(cpus),
				scan, stride, cpus);
	add("percpu/inc/this_cpu_inc", increments, inc_this_cpu);
	add("percpu/inc/__this_cpu_inc", increments, inc_plain_this_cpu);
	add("percpu/inc/atomic_add", increments, inc_atomic);
	add("percpu/inc/plain_add", increments, inc_plain);
	add("percpu/inc/thread_local", increments, inc_thread_local);
	add("poll/get_state/srcu", poll_calls, poll_get_state);
	add("poll/start_poll/srcu", poll_calls, poll_start_poll);
	add("poll/over/srcu", poll_calls, poll_over);
	add("poll/held_up/srcu", poll_calls, poll_held_up);
}
