/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of readers: alone, in each other, with something to do, several at
 * once, and beside an updater.  As in srcu-bench.cc, what is timed is C.
 */
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "bench/add.hh"
#include "bench/batches.hh"
#include "bench/crew.h"
#include "bench/down-up.h"
#include "bench/objects.h"
#include "bench/reads.hh"
#include "bench/shim.h"
#include "bench/windows.hh"

namespace
{

/* An iteration is a section, with those in it. */
void sections(benchmark::State &state, const peer *p, void (*run_batch)(long n))
{
	Registration registration(p);

	pin_here();
	time_batches(state, run_batch);
}

void long_sections(benchmark::State &state, const peer *p, uint64_t ns)
{
	constexpr long batch = 256;
	Registration registration(p);

	pin_here();
	const unsigned long spins = spins_in(ns);
	while (state.KeepRunningBatch(batch))
		p->read_length(batch, spins);
}

/* An iteration is one section of one thread. */
void shared_sections(benchmark::State &state, const peer *p, unsigned threads)
{
	/* Not fewer, lest it is the threads that are measured, and how they came to run. */
	auto nr = std::max(state.max_iterations, benchmark::IterationCount{1} << 16);
	crew_time time = {};

	while (state.KeepRunningBatch(nr)) {
		if (int error = crew_read(p, threads, static_cast<uint64_t>(nr), &time)) {
			state.SkipWithError(std::strerror(error));
			return;
		}
		state.SetIterationTime(static_cast<double>(time.ns) / 1e9);
	}
	auto each = [nr](uint64_t ns) { return static_cast<double>(ns) / static_cast<double>(nr); };
	state.counters["pairs/us"] = 1000 / each(time.ns);
	state.counters["cpu_ns"] = each(time.cpu_ns);
}

/* An iteration is one section; returns how often the readers saw what had been given back. */
unsigned long time_beside(benchmark::State &state, const peer *p, unsigned long (*read)(long n))
{
	constexpr long batch = 16384;
	Windows windows(state.max_iterations / batch + 1);
	/* Not longer: the updater may wait for this thread, when it does not read. */
	Registration registration(p);
	unsigned long bad = 0;

	while (state.KeepRunningBatch(batch)) {
		bad += read(batch);
		windows.add(batch);
	}
	windows.close();
	state.counters["p50"] = windows.percentile(50);
	state.counters["updates/ms"] = windows.acts_per_ms();
	return bad;
}

void beside_updater(benchmark::State &state, const peer *p, unsigned long (*read)(long n),
	void (*update)(const void *p), unsigned per_ms)
{
	const paced updates = {update, p, p->enter, p->leave};

	objects_prepare();
	pin_here();
	if (int error = pacer_start(&updates, per_ms)) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	unsigned long bad = time_beside(state, p, read);
	pacer_stop();
	if (bad)
		state.SkipWithError("a reader saw what had been given back");
}

/* An iteration is one thread. */
void churn(benchmark::State &state, const peer *p)
{
	Samples samples(state.max_iterations);

	pin_here();
	while (state.KeepRunning()) {
		uint64_t ns;

		if (int error = crew_churn(p, &ns)) {
			state.SkipWithError(std::strerror(error));
			return;
		}
		samples.add(static_cast<double>(ns));
	}
	state.counters["p50"] = samples.percentile(50);
	state.counters["p99"] = samples.percentile(99);
}

/* An iteration is one section that another thread ends. */
void downs_and_ups(benchmark::State &state, const down_up_peer *p)
{
	Samples downs(state.max_iterations / DOWN_UP_BLOCK + 1);
	Samples ups(state.max_iterations / DOWN_UP_BLOCK + 1);
	bool some_ups = false;

	pin_here();
	if (int error = down_up_start(p)) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	while (state.KeepRunningBatch(DOWN_UP_BLOCK)) {
		uint64_t down_ns, up_ns;

		down_up_block(&down_ns, &up_ns);
		downs.add(static_cast<double>(down_ns) / DOWN_UP_BLOCK);
		if (up_ns) {
			ups.add(static_cast<double>(up_ns) / DOWN_UP_BLOCK);
			some_ups = true;
		}
	}
	down_up_stop();
	double down = downs.percentile(50), up = some_ups ? ups.percentile(50) : 0;
	state.counters["p50"] = down + up;
	state.counters["down"] = down;
}

void register_beside(const peer *p)
{
	static const unsigned rates[] = {1, 10, 100};

	/* On one CPU they would show the scheduler's time slices. */
	if (!p->retire || usable_cpus() < 2)
		return;
	for (unsigned rate : rates) {
		const std::string who =
			std::string(p->name) + "/updates_per_ms:" + std::to_string(rate);

		if (p->read_object)
			add("read_updates/" + who, beside_updater, p, p->read_object,
				object_replace, rate)
				->UseRealTime();
		if (p->read_hash && rate > 1)
			add("hash/" + who, beside_updater, p, p->read_hash, hash_replace, rate)
				->UseRealTime();
	}
}

} // namespace

void register_reads(const peer *p)
{
	static const uint64_t lengths[] = {10, 100, 1000};
	const std::string name = p->name;

	if (p->read_batch)
		add("read/" + name, sections, p, p->read_batch);
	for (unsigned n = 1; p->shared && n <= std::min(2 * all_cpus(), unsigned{CREW_MAX}); n *= 2)
		add("read_threads/" + name + "/threads:" + std::to_string(n), shared_sections, p, n)
			->UseManualTime();
	if (p->read_nested_2)
		add("read_nested/" + name + "/depth:2", sections, p, p->read_nested_2);
	if (p->read_nested_8)
		add("read_nested/" + name + "/depth:8", sections, p, p->read_nested_8);
	for (uint64_t ns : lengths)
		if (p->read_length)
			add("read_length/" + name + "/ns:" + std::to_string(ns), long_sections, p,
				ns);
	register_beside(p);
	if (p->churn)
		add("churn/" + name, churn, p)->UseRealTime();
}

void register_down_up()
{
	/* On one CPU it would show the scheduler's time slices. */
	for (const down_up_peer *p = down_up_peers; p->name && usable_cpus() > 1; p++)
		add(std::string("down_up/") + p->name, downs_and_ups, p)->UseRealTime();
}
