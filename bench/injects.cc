/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of interrupts: injected, and while their routes are replaced.
 * As in srcu-bench.cc, what is timed is C.
 */
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

#include "bench/add.hh"
#include "bench/inject.h"
#include "bench/injects.hh"
#include "bench/shim.h"
#include "bench/swap.h"
#include "bench/times.hh"

namespace
{

constexpr char lost[] = "an event was lost";

/* An iteration is one event. */
void injections(benchmark::State &state, const inject_path *path)
{
	if (const char *why = path->begin()) {
		state.SkipWithError((std::string("not usable here: ") + why).c_str());
		return;
	}
	Samples samples(state.max_iterations / INJECT_BATCH + 1);
	bool good = true;

	pin_here();
	while (good && state.KeepRunningBatch(INJECT_BATCH)) {
		uint64_t ns = 0;

		good = path->time(&ns);
		state.SetIterationTime(static_cast<double>(ns) / 1e9);
		samples.add(static_cast<double>(ns) / INJECT_BATCH);
	}
	path->end();
	if (good)
		count_percentiles(state, samples);
	else
		state.SkipWithError(lost);
}

/* An iteration is one event of each thread. */
void injections_by_both(benchmark::State &state)
{
	inject_tally tally = {};
	bool good = true;

	inject_both_begin();
	pin_here();
	while (state.KeepRunningBatch(state.max_iterations)) {
		good = inject_both(static_cast<uint64_t>(state.max_iterations), &tally);
		state.SetIterationTime(static_cast<double>(tally.ns) / 1e9);
	}
	inject_both_end();
	if (!good) {
		state.SkipWithError(lost);
		return;
	}
	auto injected = static_cast<double>(tally.injected);
	state.counters["injections/s"] = injected * 1e9 / static_cast<double>(tally.ns);
	state.counters["coalesced"] = static_cast<double>(tally.coalesced) / injected;
}

/*
 * The times of swaps that the injector was there for.  Another program may have
 * its CPU for some milliseconds: stretches of time in which it injected nothing
 * are left out, unless there is no other.
 */
class Swaps
{
      public:
	explicit Swaps(benchmark::IterationCount expected)
	    : kept_(expected), injected_(swap_injected()), began_(clock_ns())
	{
	}

	void take(const swap_peer *p, std::size_t nr)
	{
		uint64_t began = clock_ns();

		p->swap(nr);
		uint64_t ended = clock_ns();
		window_.push_back(static_cast<double>(ended - began));
		if (ended - began_ >= window_ns)
			close_window();
	}

	/* At the end. */
	Samples &samples()
	{
		if (!window_.empty())
			close_window();
		if (!any_)
			keep(left_out_);
		return kept_;
	}

      private:
	static constexpr uint64_t window_ns = 100000;

	void keep(const std::vector<double> &window)
	{
		for (double ns : window)
			kept_.add(ns);
	}

	void close_window()
	{
		uint64_t injected = swap_injected();

		if (injected != injected_) {
			keep(window_);
			any_ = true;
		} else {
			left_out_ = window_;
		}
		window_.clear();
		injected_ = injected;
		began_ = clock_ns();
	}

	Samples kept_;
	std::vector<double> window_, left_out_;
	bool any_ = false;
	uint64_t injected_, began_;
};

void swaps(benchmark::State &state, const swap_peer *p, std::size_t nr)
{
	if (int error = swap_start(p, nr)) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	Swaps swaps(state.max_iterations);
	uint64_t began = clock_ns(), injected = swap_injected();

	for (auto _ : state)
		swaps.take(p, nr);
	state.counters["injections/us"] = static_cast<double>(swap_injected() - injected) * 1e3 /
					  static_cast<double>(clock_ns() - began);
	count_percentiles(state, swaps.samples());
	if (!swap_stop())
		state.SkipWithError("an event met a route of a table that was freed");
}

} // namespace

void register_injects()
{
	static const std::size_t sizes[] = {1, 100, 4096};

	for (const inject_path *const *p = inject_paths; *p; p++)
		add(std::string("inject/") + (*p)->name, injections, *p)
			->UseManualTime()
			->Iterations(iterations(512, INJECT_BATCH));
	/* On one CPU they would show the scheduler's time slices. */
	if (usable_cpus() < 2)
		return;
	add("inject/direct/threads:2", injections_by_both)
		->UseManualTime()
		->Iterations(iterations(1 << 20, 1));
	for (const swap_peer *const *p = swap_peers; *p; p++)
		for (std::size_t nr : sizes)
			add(std::string("route_swap/") + (*p)->name +
					"/routes:" + std::to_string(nr),
				swaps, *p, nr)
				->UseRealTime();
}
