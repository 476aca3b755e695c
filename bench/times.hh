/* SPDX-License-Identifier: MIT */
/*
 * What the program keeps of the grace periods that it timed.  Included by
 * srcu-bench.cc only.
 */
#ifndef BENCH_TIMES_HH
#define BENCH_TIMES_HH

#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "bench/shim.h"

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
	double percentile(std::size_t percent)
	{
		std::size_t kept = std::min(ns_.size(), taken_ ? taken_ : forgotten_);
		auto at = ns_.begin() + static_cast<std::ptrdiff_t>((kept - 1) * percent / 100);

		std::nth_element(ns_.begin(), at, ns_.begin() + static_cast<std::ptrdiff_t>(kept));
		return *at;
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

	double percentile(std::size_t percent)
	{
		std::size_t kept = std::min(ns_.size(), taken_);
		auto at = ns_.begin() + static_cast<std::ptrdiff_t>((kept - 1) * percent / 100);

		std::nth_element(ns_.begin(), at, ns_.begin() + static_cast<std::ptrdiff_t>(kept));
		return *at;
	}

      private:
	/* Of more, the last ones. */
	static constexpr std::size_t most = std::size_t{1} << 16;

	std::vector<double> ns_;
	std::size_t taken_ = 0;
};

#endif /* BENCH_TIMES_HH */
