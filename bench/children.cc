/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of what a library uses while it has nothing to do.  As in
 * srcu-bench.cc, what is measured is C.
 */
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/add.hh"
#include "bench/child.h"
#include "bench/children.hh"
#include "bench/shim.h"

namespace
{

void idle_process(benchmark::State &state, const callback_peer *p, unsigned rate)
{
	struct idle found = {};
	int error = 0;

	pin_off_readers();
	while (!error && state.KeepRunning())
		error = child_idle(p, rate, &found);
	if (error) {
		state.SkipWithError(std::strerror(std::abs(error)));
		return;
	}
	state.counters["wakeups/s"] = found.wakeups;
	state.counters["cpu_us/s"] = found.cpu_ns / 1000;
}

void domains_memory(benchmark::State &state)
{
	double bytes = 0;
	int error = 0;

	while (!error && state.KeepRunning())
		error = child_memory(&bytes);
	if (error)
		state.SkipWithError(std::strerror(std::abs(error)));
	else
		state.counters["bytes_per_domain"] = bytes;
}

/* It takes a second, and finds about the same each time. */
void add_once(const std::string &name, const callback_peer *p, unsigned rate)
{
	add(name, idle_process, p, rate)->UseRealTime()->Iterations(1)->Repetitions(1);
}

} // namespace

void register_children()
{
	for (const callback_peer *const *p = callback_peers; *p; p++) {
		const std::string name = std::string("idle/") + (*p)->name;

		add_once(name, *p, 0);
		add_once(name + "/callbacks_per_s:100", *p, 100);
	}
	add("memory/srcu", domains_memory)->UseRealTime()->Iterations(1);
}
