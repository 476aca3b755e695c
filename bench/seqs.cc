/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of objects that a sequence or a lock guards.  As in
 * srcu-bench.cc, what is timed is C.
 */
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "bench/add.hh"
#include "bench/batches.hh"
#include "bench/pacer.h"
#include "bench/seq.h"
#include "bench/seqs.hh"
#include "bench/shim.h"
#include "bench/windows.hh"

namespace
{

void accesses(benchmark::State &state, void (*run_batch)(long n))
{
	pin_here();
	time_batches(state, run_batch);
}

/* An iteration is one read. */
void reads_beside_writer(benchmark::State &state, const seq_object *o, unsigned writes_per_ms)
{
	constexpr long batch = 4096;

	pin_here();
	const paced writes = {seq_write_one, o, nullptr, nullptr};
	if (int error = pacer_start(&writes, writes_per_ms)) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	Windows windows(state.max_iterations / batch + 1);
	while (state.KeepRunningBatch(batch)) {
		o->read(batch);
		windows.add(batch);
	}
	windows.close();
	pacer_stop();
	state.counters["p50"] = windows.percentile(50);
	state.counters["writes/ms"] = windows.acts_per_ms();
}

void register_object(const seq_peer *p, const seq_object &o)
{
	static const unsigned rates[] = {10, 100, 1000, 10000};
	const std::string who = std::string(p->name) + "/bytes:" + std::to_string(o.bytes);

	add("seq_read/" + who, accesses, o.read);
	add("seq_write/" + who, accesses, o.write);
	add("seq_write_copy/" + who, accesses, o.write_copy);
	/* On one CPU it would show the scheduler's time slices. */
	if (o.bytes != 16 || usable_cpus() < 2)
		return;
	for (unsigned rate : rates)
		add("seq_read_rate/" + who + "/writes_per_ms:" + std::to_string(rate),
			reads_beside_writer, &o, rate)
			->UseRealTime();
}

} // namespace

void register_seqs()
{
	for (const seq_peer *const *p = seq_peers; *p; p++) {
		(*p)->init();
		for (const seq_object &o : (*p)->objects)
			register_object(*p, o);
	}
}
