/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of readers alone.  As in srcu-bench.cc, what is timed is C.
 */
#include <benchmark/benchmark.h>

#include <string>

#include "bench/add.hh"
#include "bench/batches.hh"
#include "bench/reads.hh"
#include "bench/shim.h"

namespace
{

void read_pairs(benchmark::State &state, const peer *p)
{
	Registration registration(p);

	pin_here();
	time_batches(state, p->read_batch);
}

} // namespace

void register_reads(const peer *p)
{
	if (p->read_batch)
		add(std::string("read/") + p->name, read_pairs, p);
}
