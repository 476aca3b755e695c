/* SPDX-License-Identifier: MIT */
/*
 * srcu-bench: registers the benchmarks with Google Benchmark, which repeats and
 * times them, and hands their results to the table of figures.  Every timed
 * loop is a call into C.
 */
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/child.h"
#include "bench/children.hh"
#include "bench/figures.h"
#include "bench/injects.hh"
#include "bench/percpu.hh"
#include "bench/reads.hh"
#include "bench/scan.h"
#include "bench/seqs.hh"
#include "bench/shim.h"
#include "bench/updates.hh"
#include "bench/waits.hh"

namespace
{

void register_peer(const peer *p)
{
	int error = p->prepare ? p->prepare() : 0;

	if (error) {
		std::fprintf(
			stderr, "srcu-bench: %s is left out: %s\n", p->name, std::strerror(-error));
		return;
	}
	register_reads(p);
	register_waits(p);
}

/*
 * Passes results to the chosen display and to the figures.  The figures need
 * every repetition, the display is easier to read without: unless the command
 * line says what is to be displayed, it gets the aggregates only.
 */
class Reporter : public benchmark::BenchmarkReporter
{
      public:
	Reporter(benchmark::BenchmarkReporter *display, bool hide_repetitions)
	    : display_(display), hide_repetitions_(hide_repetitions)
	{
	}

	bool ReportContext(const Context &context) override
	{
		return display_->ReportContext(context);
	}

	void ReportRuns(const std::vector<Run> &runs) override
	{
		std::vector<Run> shown;

		for (const Run &run : runs) {
			add_to_figures(run);
			if (!hide_repetitions_ || run.run_type == Run::RT_Aggregate ||
				run.repetitions <= 1 || run.error_occurred)
				shown.push_back(run);
		}
		display_->ReportRuns(shown);
	}

	void Finalize() override
	{
		display_->Finalize();
	}

      private:
	static void add_to_figures(const Run &run)
	{
		const std::string &name = run.run_name.function_name;
		/* CPU time: of a loop that never waits, also right when the CPU is shared. */
		double value = run.GetAdjustedCPUTime();

		if (run.error_occurred)
			return;
		if (const char *wanted = figures_counter(name.c_str())) {
			auto counter = run.counters.find(wanted);

			if (counter == run.counters.end())
				return;
			value = counter->second;
		}
		if (run.run_type == Run::RT_Iteration)
			figures_add(name.c_str(), value);
		else if (run.aggregate_name == "median")
			figures_add_median(name.c_str(), value);
	}

	benchmark::BenchmarkReporter *display_;
	bool hide_repetitions_;
};

void usage(std::FILE *to)
{
	std::fprintf(to, "usage: srcu-bench [--flood=<callbacks>] [--benchmark_filter=<regex>] "
			 "[--benchmark_<option>=<value>] ...\n"
			 "srcu-bench(1) and Google Benchmark's user guide have the options.\n");
}

/* Google Benchmark calls this for an option that it cannot take, and would exit with 0. */
[[noreturn]] void refuse()
{
	usage(stderr);
	std::exit(2);
}

bool given(const std::vector<char *> &args, const char *start)
{
	return std::any_of(args.begin() + 1, args.end(),
		[start](const char *arg) { return !std::strncmp(arg, start, std::strlen(start)); });
}

/* Take --flood=<callbacks> out of the options; 0 when its value is none. */
std::size_t take_flood(std::vector<char *> &args)
{
	static const char option[] = "--flood=";
	unsigned long long flood = 1000000;
	auto is_flood = [&flood](const char *arg) {
		if (std::strncmp(arg, option, std::strlen(option)))
			return false;
		char *end;
		flood = std::strtoull(arg + std::strlen(option), &end, 10);
		if (*end || flood > UINT32_MAX)
			flood = 0;
		return true;
	};

	args.erase(std::remove_if(args.begin() + 1, args.end(), is_flood), args.end());
	return static_cast<std::size_t>(flood);
}

/* The defaults come first: the last of equal options counts. */
std::vector<char *> with_defaults(int argc, char **argv)
{
	static char repetitions[] = "--benchmark_repetitions=9";
	static char interleaving[] = "--benchmark_enable_random_interleaving=true";
	static char min_time[] = "--benchmark_min_time=0.05";
	std::vector<char *> args = {argv[0], repetitions, interleaving, min_time};

	args.insert(args.end(), argv + 1, argv + argc);
	return args;
}

void add_context(const char *key, const char *value)
{
	benchmark::AddCustomContext(key, value);
}

} // namespace

int main(int argc, char **argv)
{
	scan_main(argc, argv);
	child_main(argc, argv);

	std::vector<char *> args = with_defaults(argc, argv);
	std::size_t flood = take_flood(args);
	int left = static_cast<int>(args.size());
	bool hide_repetitions = !given(args, "--benchmark_report_aggregates_only") &&
				!given(args, "--benchmark_display_aggregates_only");

	if (given(args, "--help")) {
		usage(stdout);
		return 0;
	}
	if (!flood) {
		std::fprintf(stderr, "srcu-bench: bad value of --flood\n");
		refuse();
	}
	benchmark::Initialize(&left, args.data(), refuse);
	if (left > 1) {
		std::fprintf(stderr, "srcu-bench: unknown option or bad value: %s\n", args[1]);
		refuse();
	}

	/* The C library is faster before the first thread; all that is measured comes after. */
	std::thread([] {}).join();
	for (const peer *const *p = peers; *p; p++)
		register_peer(*p);
	register_down_up();
	register_updates(flood);
	register_children();
	register_seqs();
	register_injects();
	register_percpu();
	machine_describe(add_context);

	std::unique_ptr<benchmark::BenchmarkReporter> display(
		benchmark::CreateDefaultDisplayReporter());
	bool console = dynamic_cast<benchmark::ConsoleReporter *>(display.get());
	Reporter reporter(display.get(), hide_repetitions);

	if (!benchmark::RunSpecifiedBenchmarks(&reporter)) {
		std::fprintf(stderr, "srcu-bench: no benchmark matches\n");
		return 2;
	}
	/* Machine-readable output is not mixed with the table. */
	std::fflush(stdout);
	figures_print(console ? stdout : stderr);
	benchmark::Shutdown();
	return 0;
}
