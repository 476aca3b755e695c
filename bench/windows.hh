/* SPDX-License-Identifier: MIT */
/*
 * The time of a read beside a thread that keeps a pace.  Included by the files that
 * register benchmarks.
 */
#ifndef BENCH_WINDOWS_HH
#define BENCH_WINDOWS_HH

#include <benchmark/benchmark.h>

#include "bench/pacer.h"
#include "bench/shim.h"
#include "bench/times.hh"

/*
 * Time goes by in windows of a millisecond.  One in which the reader lost its CPU to
 * another program, or the thread did for a tenth of the time or did nothing, is left
 * out, unless there is no other.
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
		if (kept_.ns)
			return;
		kept_ = {window_.ns - began_.ns, window_.acts - began_.acts, 0, 0};
		samples_.add(static_cast<double>(kept_.ns) / static_cast<double>(reads_));
	}

	/* These two when it is closed. */
	double percentile(double percent)
	{
		return samples_.percentile(percent);
	}

	double acts_per_ms() const
	{
		return static_cast<double>(kept_.acts) * 1e6 / static_cast<double>(kept_.ns);
	}

      private:
	static constexpr uint64_t window_ns = 1000000;

	struct Moment {
		uint64_t ns, acts, preemptions, delay_ns;
	};

	static Moment now()
	{
		return {clock_ns(), pacer_acts(), preemptions_here(), pacer_delay_ns()};
	}

	bool undisturbed(const Moment &end) const
	{
		return end.preemptions == window_.preemptions && end.acts != window_.acts &&
		       end.delay_ns - window_.delay_ns < window_ns / 10;
	}

	void close_window()
	{
		Moment end = now();

		if (undisturbed(end)) {
			samples_.add(static_cast<double>(end.ns - window_.ns) /
				     static_cast<double>(window_reads_));
			kept_.ns += end.ns - window_.ns;
			kept_.acts += end.acts - window_.acts;
		}
		reads_ += window_reads_;
		window_reads_ = 0;
		window_ = end;
	}

	Samples samples_;
	Moment began_, window_;
	Moment kept_ = {}; /* sums of the windows that are not left out */
	long reads_ = 0, window_reads_ = 0;
};

#endif /* BENCH_WINDOWS_HH */
