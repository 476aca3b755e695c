/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of grace periods: of one updater, and of several.  As in
 * srcu-bench.cc, what is timed is C.
 */
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "bench/add.hh"
#include "bench/batches.hh"
#include "bench/shim.h"
#include "bench/times.hh"
#include "bench/waits.hh"

namespace
{

srcu_stats stats_of(const peer *p)
{
	srcu_stats stats = {};

	if (p->stats)
		p->stats(&stats);
	return stats;
}

/* Calls of away() and back() of a peer that has them. */
class Away
{
      public:
	explicit Away(const peer *p) : peer_(p)
	{
		if (peer_->away)
			peer_->away();
	}
	~Away()
	{
		if (peer_->back)
			peer_->back();
	}
	Away(const Away &) = delete;
	Away &operator=(const Away &) = delete;

      private:
	const peer *peer_;
};

void grace_periods(benchmark::State &state, const peer *p, const load &l)
{
	Registration registration(p);

	pin_here();
	if (int error = readers_start(p, &l)) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	srcu_stats before = stats_of(p);
	Times times(p, l.readers > 0, state.max_iterations);
	uint64_t switches = voluntary_switches();
	while (state.KeepRunningBatch(Times::batch))
		times.take_batch();
	switches = voluntary_switches() - switches;
	times.close_window();
	srcu_stats after = stats_of(p);
	readers_stop();

	count_distribution(state, times);
	state.counters["switches"] =
		static_cast<double>(switches) / static_cast<double>(state.iterations());
	if (l.readers)
		state.counters["reads/us"] = times.sections_per_us();
	if (after.grace_periods > before.grace_periods)
		state.counters["membarriers"] =
			static_cast<double>(after.membarriers - before.membarriers) /
			static_cast<double>(after.grace_periods - before.grace_periods);
}

void count_updaters_times(benchmark::State &state)
{
	std::size_t nr;
	const uint32_t *ns = updaters_times(&nr);
	Samples samples(static_cast<benchmark::IterationCount>(nr));

	for (std::size_t i = 0; i < nr; i++)
		samples.add(ns[i]);
	count_distribution(state, samples);
}

/* An iteration is one updater's wait for a grace period. */
void concurrent_grace_periods(
	benchmark::State &state, const peer *p, unsigned updaters, const load &l)
{
	/* With a registry that is empty some peers have nothing to wait for. */
	Registration registration(p);
	Away away(p);

	pin_here();
	int error = readers_start(p, &l);
	if (!error && (error = updaters_start(p, updaters)))
		readers_stop();
	if (error) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	srcu_stats before = stats_of(p);
	tally kept = {};
	while (state.KeepRunningBatch(state.max_iterations))
		kept = updaters_run(static_cast<uint64_t>(state.max_iterations));
	srcu_stats after = stats_of(p);
	updaters_stop();
	readers_stop();

	auto seconds = static_cast<double>(kept.ns) / 1e9;
	count_updaters_times(state);
	state.counters["calls/s"] = static_cast<double>(kept.calls) / seconds;
	if (l.readers)
		state.counters["reads/us"] = static_cast<double>(kept.sections) / seconds / 1e6;
	if (after.grace_periods > before.grace_periods)
		state.counters["calls/gp"] =
			static_cast<double>(state.iterations()) /
			static_cast<double>(after.grace_periods - before.grace_periods);
}

std::string gp_name(const peer *p, const load &l)
{
	return std::string("gp/") + p->name + "/readers:" + std::to_string(l.readers) +
	       "/in_ns:" + std::to_string(l.in_ns) + "/out_ns:" + std::to_string(l.out_ns);
}

void add_concurrent(const peer *p, unsigned updaters, unsigned readers)
{
	add(std::string("gp_concurrent/") + p->name + "/updaters:" + std::to_string(updaters) +
			"/readers:" + std::to_string(readers),
		concurrent_grace_periods, p, updaters, load{readers, 0, 0})
		->UseRealTime();
}

/* Without readers what matters is the ends of the scale. */
void register_concurrent(const peer *p)
{
	for (unsigned updaters = 1; updaters <= UPDATERS_MAX; updaters *= 2)
		add_concurrent(p, updaters, 1);
	add_concurrent(p, 1, 0);
	add_concurrent(p, UPDATERS_MAX, 0);
}

} // namespace

void register_waits(const peer *p)
{
	/* Nobody; readers whose sections are empty, short and long. */
	static const load loads[] = {
		{0, 0, 0}, {1, 0, 0}, {1, 1000, 1000}, {1, 100000, 0}, {2, 0, 0}, {2, 1000, 1000}};

	if (!p->synchronize)
		return;
	for (const load &l : loads) {
		/* Two readers on one CPU would show the scheduler's time slices. */
		if (l.readers > 1 && l.readers >= usable_cpus())
			continue;
		add(gp_name(p, l), grace_periods, p, l);
	}
	if (p->concurrent)
		register_concurrent(p);
}
