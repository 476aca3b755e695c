/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of callbacks, of updates beside a sleeping reader and of scans.
 * As in srcu-bench.cc, what is timed is C.
 */
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/add.hh"
#include "bench/callbacks.h"
#include "bench/isolation.h"
#include "bench/scan.h"
#include "bench/shim.h"
#include "bench/times.hh"
#include "bench/updates.hh"

namespace
{

/* Callbacks that are queued at once: in a section, and until all have been invoked. */
constexpr std::size_t enqueue_batch = 4096;
constexpr std::size_t invoke_batch = std::size_t{1} << 18;

/* Callbacks that come one by one while a reader is slow. */
constexpr std::size_t backlog_callbacks = 50000;

/* Keeps a peer's callbacks in use, with threads that may run on every CPU. */
class Callbacks
{
      public:
	Callbacks(const callback_peer *p, std::size_t nr) : peer_(p)
	{
		pin_off_readers();
		error_ = peer_->begin(nr);
		pin_here();
	}
	~Callbacks()
	{
		if (!error_)
			peer_->end();
	}
	Callbacks(const Callbacks &) = delete;
	Callbacks &operator=(const Callbacks &) = delete;

	int error() const
	{
		return error_;
	}

      private:
	const callback_peer *peer_;
	int error_;
};

void skip(benchmark::State &state, int error)
{
	state.SkipWithError(std::strerror(std::abs(error)));
}

using time_callbacks = int(const callback_peer *p, std::size_t nr, uint64_t *ns);

/* An iteration is one call, of as many as are queued at once. */
void callbacks(
	benchmark::State &state, const callback_peer *p, std::size_t batch, time_callbacks *time)
{
	Callbacks in_use(p, batch);
	auto step = static_cast<benchmark::IterationCount>(batch);
	Samples samples(state.max_iterations / step + 1);
	int error = in_use.error();

	while (!error && state.KeepRunningBatch(step)) {
		uint64_t ns = 0;

		error = time(p, batch, &ns);
		state.SetIterationTime(static_cast<double>(ns) / 1e9);
		samples.add(static_cast<double>(ns) / static_cast<double>(batch));
	}
	if (error)
		skip(state, error);
	else
		count_percentiles(state, samples);
}

/* Of a peer that has had callbacks, and has none left. */
void idle_barriers(benchmark::State &state, const callback_peer *p)
{
	Callbacks in_use(p, enqueue_batch);
	Samples samples(state.max_iterations);
	uint64_t ns = 0;
	int error = in_use.error();

	if (!error)
		error = callbacks_time_invoke(p, enqueue_batch, &ns);
	while (!error && state.KeepRunning()) {
		error = callbacks_time_barrier(p, &ns);
		samples.add(static_cast<double>(ns));
	}
	if (error)
		skip(state, error);
	else
		count_percentiles(state, samples);
}

/* An iteration is one callback, all of one flood. */
void flood(benchmark::State &state, const callback_peer *p)
{
	auto nr = static_cast<std::size_t>(state.max_iterations);
	Callbacks in_use(p, nr);
	struct flood f = {};
	int error = in_use.error();

	while (!error && state.KeepRunningBatch(state.max_iterations)) {
		error = callbacks_time_flood(p, nr, &f);
		state.SetIterationTime(static_cast<double>(f.enqueue_ns + f.drain_ns) / 1e9);
	}
	if (error) {
		skip(state, error);
		return;
	}
	state.counters["enqueue_ns"] = static_cast<double>(f.enqueue_ns) / static_cast<double>(nr);
	state.counters["drain_ns"] = static_cast<double>(f.drain_ns) / static_cast<double>(nr);
	state.counters["rss_bytes"] = static_cast<double>(f.rss_bytes);
}

/* An iteration is one callback. */
void backlog(benchmark::State &state, const callback_peer *p)
{
	auto nr = static_cast<std::size_t>(state.max_iterations);
	Callbacks in_use(p, nr);
	std::vector<uint32_t> waiting(nr);
	int error = in_use.error();

	while (!error && state.KeepRunningBatch(state.max_iterations))
		error = backlog_run(p, nr, waiting.data());
	if (error) {
		skip(state, error);
		return;
	}
	state.counters["p50"] = percentile_of(waiting, nr, 50);
	state.counters["p90"] = percentile_of(waiting, nr, 90);
	state.counters["peak"] = percentile_of(waiting, nr, 100);
}

void isolation(benchmark::State &state, const isolation_peer *p, isolation_call call)
{
	pin_off_readers();
	if (int error = isolation_start(p)) {
		skip(state, error);
		return;
	}
	pin_here();
	Samples samples(state.max_iterations);
	while (state.KeepRunning()) {
		uint64_t ns = p->time[call]();

		state.SetIterationTime(static_cast<double>(ns) / 1e9);
		samples.add(static_cast<double>(ns));
	}
	isolation_stop(p);
	count_distribution(state, samples);
}

/* An iteration is a simulated CPU's share of a grace period. */
void scans(benchmark::State &state, unsigned cpus)
{
	constexpr uint32_t batch = 16;
	auto step = static_cast<benchmark::IterationCount>(batch * cpus);
	Samples samples(state.max_iterations / cpus + batch);
	uint32_t ns[batch];
	int error = scan_start(cpus);

	if (error) {
		skip(state, error);
		return;
	}
	while (!error && state.KeepRunningBatch(step)) {
		uint64_t sum = 0;

		error = scan_time(ns, batch);
		for (unsigned i = 0; !error && i < batch; i++) {
			sum += ns[i];
			samples.add(static_cast<double>(ns[i]) / cpus);
		}
		state.SetIterationTime(static_cast<double>(sum) / 1e9);
	}
	scan_stop();
	if (error)
		skip(state, error);
	else
		count_percentiles(state, samples);
}

/* Few batches: a barrier of liburcu's takes milliseconds, whether they are in the time or not. */
void register_callbacks(const callback_peer *p, std::size_t nr_flood)
{
	const std::string name = p->name, call = p->enqueue_name;

	add("enqueue/" + call, callbacks, p, enqueue_batch, callbacks_time_enqueue)
		->UseManualTime()
		->Iterations(iterations(32, enqueue_batch));
	add("enqueue_invoke/" + call, callbacks, p, invoke_batch, callbacks_time_invoke)
		->UseManualTime()
		->Iterations(iterations(4, invoke_batch));
	add("barrier/" + name, idle_barriers, p)->UseRealTime();
	add("backlog/" + name, backlog, p)
		->UseRealTime()
		->Iterations(static_cast<benchmark::IterationCount>(backlog_callbacks));
	add("flood/" + name, flood, p)
		->UseManualTime()
		->Iterations(static_cast<benchmark::IterationCount>(nr_flood));
}

void register_isolation(const isolation_peer *p)
{
	for (int i = 0; i < ISOLATION_CALLS; i++)
		if (p->time[i])
			add(std::string("isolation/") + isolation_names[i] + "/" + p->name,
				isolation, p, static_cast<isolation_call>(i))
				->UseManualTime();
}

} // namespace

void register_updates(std::size_t nr_flood)
{
	static const unsigned sizes[] = {2, 64, 1024, SCAN_CPUS_MAX};

	for (const callback_peer *const *p = callback_peers; *p; p++)
		register_callbacks(*p, nr_flood);
	for (const isolation_peer *const *p = isolation_peers; *p; p++)
		register_isolation(*p);
	for (unsigned cpus : sizes)
		add("scan/cpus:" + std::to_string(cpus), scans, cpus)->UseManualTime();
}
