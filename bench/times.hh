/* SPDX-License-Identifier: MIT */
/*
 * What the program keeps of the times that it took, and what it tells of them.
 * Included by the files that register benchmarks.
 */
#ifndef BENCH_TIMES_HH
#define BENCH_TIMES_HH

#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "bench/shim.h"

/* Of the first @taken of @v, or of all when there were more; reorders them. */
template <class T>
double percentile_of(std::vector<T> &v, std::size_t taken, double percent)
{
	std::size_t kept = std::min(v.size(), taken);
	auto rank = static_cast<std::ptrdiff_t>(static_cast<double>(kept - 1) * percent / 100);

	std::nth_element(
		v.begin(), v.begin() + rank, v.begin() + static_cast<std::ptrdiff_t>(kept));
	return v[static_cast<std::size_t>(rank)];
}

/*
 * The times of grace periods.  Where the machine is shared, another program may
 * have a reader's CPU for some milliseconds; a grace period that meets no
 * running reader is not what is to be measured.  So time goes by in windows, and
 * a window in which no section ended is forgotten, unless there is no other.
 */
class Times
{
      public:
	static constexpr unsigned int batch = 16;

	Times(const peer *p, bool with_readers, benchmark::IterationCount iterations)
	    : peer_(p), with_readers_(with_readers),
	      ns_(std::min<std::size_t>(
		      static_cast<std::size_t>(iterations) / batch * batch + batch, most)),
	      window_sections_(readers_sections()), window_began_(clock_ns())
	{
	}

	void take_batch()
	{
		time_synchronize(peer_, &ns_[taken_ % ns_.size()], batch);
		taken_ += batch;
		if (clock_ns() - window_began_ >= window_ns)
			close_window();
	}

	void close_window()
	{
		uint64_t sections = readers_sections(), now = clock_ns();

		if (taken_ == window_taken_)
			return;
		if (with_readers_ && sections == window_sections_) {
			forgotten_ = taken_ - window_taken_;
			taken_ = window_taken_;
		} else {
			sections_ += sections - window_sections_;
			elapsed_ns_ += now - window_began_;
		}
		window_taken_ = taken_;
		window_sections_ = sections;
		window_began_ = now;
	}

	/* These two when the last window is closed. */
	double percentile(double percent)
	{
		return percentile_of(ns_, taken_ ? taken_ : forgotten_, percent);
	}

	double sections_per_us() const
	{
		return static_cast<double>(sections_) * 1000 /
		       static_cast<double>(std::max<uint64_t>(elapsed_ns_, 1));
	}

      private:
	/* Of a run with more grace periods, the last ones. */
	static constexpr std::size_t most = std::size_t{1} << 20;
	static constexpr uint64_t window_ns = 100000;

	const peer *peer_;
	bool with_readers_;
	std::vector<uint32_t> ns_;
	std::size_t taken_ = 0, window_taken_ = 0, forgotten_ = 0;
	uint64_t window_sections_, window_began_;
	uint64_t sections_ = 0, elapsed_ns_ = 0;
};

/* Times of something that needs no windows. */
class Samples
{
      public:
	explicit Samples(benchmark::IterationCount expected)
	    : ns_(std::min<std::size_t>(static_cast<std::size_t>(expected), most))
	{
	}

	void add(double ns)
	{
		ns_[taken_++ % ns_.size()] = ns;
	}

	double percentile(double percent)
	{
		return percentile_of(ns_, taken_, percent);
	}

      private:
	/* Of more, the last ones. */
	static constexpr std::size_t most = std::size_t{1} << 16;

	std::vector<double> ns_;
	std::size_t taken_ = 0;
};

template <class Taken>
void count_percentiles(benchmark::State &state, Taken &times)
{
	state.counters["p50"] = times.percentile(50);
	state.counters["p90"] = times.percentile(90);
	state.counters["p99"] = times.percentile(99);
	state.counters["max"] = times.percentile(100);
}

/* As many as it takes to draw the distribution. */
template <class Taken>
void count_distribution(benchmark::State &state, Taken &times)
{
	count_percentiles(state, times);
	state.counters["p10"] = times.percentile(10);
	state.counters["p25"] = times.percentile(25);
	state.counters["p75"] = times.percentile(75);
	state.counters["p95"] = times.percentile(95);
	state.counters["p99.9"] = times.percentile(99.9);
}

#endif /* BENCH_TIMES_HH */
