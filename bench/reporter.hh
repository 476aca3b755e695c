/* SPDX-License-Identifier: MIT */
/*
 * Where results go: to Google Benchmark's reporters, and to the figures.
 */
#ifndef BENCH_REPORTER_HH
#define BENCH_REPORTER_HH

#include <benchmark/benchmark.h>

#include <vector>

#include "bench/noise.h"

/* Passes everything to @inner. */
class Passing : public benchmark::BenchmarkReporter
{
      public:
	explicit Passing(benchmark::BenchmarkReporter *inner) : inner_(inner)
	{
	}

	bool ReportContext(const Context &context) override;
	void ReportRuns(const std::vector<Run> &runs) override;
	void Finalize() override;

      protected:
	benchmark::BenchmarkReporter *inner_;
};

/*
 * The display.  The figures need every repetition, it is easier to read without:
 * unless the command line says what is to be displayed, it gets the aggregates
 * only.
 */
class Display : public Passing
{
      public:
	Display(benchmark::BenchmarkReporter *inner, bool hide_repetitions)
	    : Passing(inner), hide_repetitions_(hide_repetitions)
	{
	}

	void ReportRuns(const std::vector<Run> &runs) override;

      private:
	bool hide_repetitions_;
};

/*
 * A file of results, for other programs: ends with the figures, and what is known
 * of the machine's noise, as runs that are named figure: and machine/noise.
 */
class File : public Passing
{
      public:
	using Passing::Passing;

	void Finalize() override;
};

#endif /* BENCH_REPORTER_HH */
