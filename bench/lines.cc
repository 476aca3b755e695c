/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of domains that share cache lines.  As in srcu-bench.cc, what is
 * timed is C.
 */
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "bench/add.hh"
#include "bench/batches.hh"
#include "bench/line.h"
#include "bench/lines.hh"
#include "bench/shim.h"

namespace
{

void reads(benchmark::State &state, line_scan scan)
{
	pin_here();
	if (int error = line_start(scan)) {
		state.SkipWithError(std::strerror(-error));
		return;
	}
	uint64_t scans = line_scans(), began = clock_ns();
	time_batches(state, line_read);
	scans = line_scans() - scans;
	uint64_t ns = clock_ns() - began;
	line_stop(scan);
	if (scan != LINE_NO_SCAN)
		state.counters["scans/us"] =
			static_cast<double>(scans) * 1000 / static_cast<double>(ns);
}

} // namespace

void register_lines()
{
	if (usable_cpus() < 2)
		return;
	for (int i = 0; i < LINE_SCANS; i++)
		add(std::string("read_beside/") + line_names[i], reads, static_cast<line_scan>(i));
}
