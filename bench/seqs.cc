/* SPDX-License-Identifier: MIT */
/*
 * The benchmarks of objects that a sequence or a lock guards.  As in
 * srcu-bench.cc, what is timed is C.
 */
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>

#include "bench/add.hh"
#include "bench/seq.h"
#include "bench/seqs.hh"
#include "bench/shim.h"
#include "bench/times.hh"

namespace
{

void accesses(benchmark::State &state, void (*run_batch)(long n))
{
	constexpr long batch = 4096;

	pin_here();
	while (state.KeepRunningBatch(batch))
		run_batch(batch);
}

/*
 * The time of a read, by windows of a millisecond.  One in which the reader lost
 * its CPU to another program, or in which no write was made, is left out, unless
 * there is no other.
 */
class Windows
{
      public:
	explicit Windows(benchmark::IterationCount most)
	    : samples_(most), began_(now()), window_(began_)
	{
	}

	void add(long reads)
	{
		window_reads_ += reads;
		if (clock_ns() - window_.ns >= window_ns)
			close_window();
	}

	void close()
	{
		if (window_reads_)
			close_window();
		if (!kept_)
			samples_.add(static_cast<double>(window_.ns - began_.ns) /
				     static_cast<double>(reads_));
	}

	/* These two when it is closed. */
	double percentile(double percent)
	{
		return samples_.percentile(percent);
	}

	double writes_per_ms() const
	{
		return static_cast<double>(window_.writes - began_.writes) * 1e6 /
		       static_cast<double>(window_.ns - began_.ns);
	}

      private:
	static constexpr uint64_t window_ns = 1000000;

	struct Moment {
		uint64_t ns, writes, preemptions;
	};

	static Moment now()
	{
		return {clock_ns(), seq_writer_writes(), seq_reader_preemptions()};
	}

	void close_window()
	{
		Moment end = now();

		if (end.preemptions == window_.preemptions && end.writes != window_.writes) {
			samples_.add(static_cast<double>(end.ns - window_.ns) /
				     static_cast<double>(window_reads_));
			kept_ = true;
		}
		reads_ += window_reads_;
		window_reads_ = 0;
		window_ = end;
	}

	Samples samples_;
	Moment began_, window_;
	long reads_ = 0, window_reads_ = 0;
	bool kept_ = false;
};

/* An iteration is one read. */
void reads_beside_writer(benchmark::State &state, const seq_object *o, unsigned writes_per_ms)
{
	constexpr long batch = 4096;

	pin_here();
	if (int error = seq_writer_start(o, writes_per_ms)) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	Windows windows(state.max_iterations / batch + 1);
	while (state.KeepRunningBatch(batch)) {
		o->read(batch);
		windows.add(batch);
	}
	windows.close();
	seq_writer_stop();
	state.counters["p50"] = windows.percentile(50);
	state.counters["writes/ms"] = windows.writes_per_ms();
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
