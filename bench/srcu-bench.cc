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

#include "bench/figures.h"
#include "bench/injects.hh"
#include "bench/scan.h"
#include "bench/seqs.hh"
#include "bench/shim.h"
#include "bench/times.hh"
#include "bench/updates.hh"

namespace
{

/* Keeps the calling thread registered with a peer. */
class Registration
{
      public:
	explicit Registration(const peer *p) : peer_(p)
	{
		if (peer_->enter)
			peer_->enter();
	}
	~Registration()
	{
		if (peer_->leave)
			peer_->leave();
	}
	Registration(const Registration &) = delete;
	Registration &operator=(const Registration &) = delete;

      private:
	const peer *peer_;
};

void time_batches(benchmark::State &state, void (*run_batch)(long n))
{
	constexpr long batch = 4096;

	while (state.KeepRunningBatch(batch))
		run_batch(batch);
}

void read_pairs(benchmark::State &state, const peer *p)
{
	Registration registration(p);

	pin_here();
	time_batches(state, p->read_batch);
}

srcu_stats stats_of(const peer *p)
{
	srcu_stats stats = {};

	if (p->stats)
		p->stats(&stats);
	return stats;
}

void grace_periods(benchmark::State &state, const peer *p, const load &l)
{
	Registration registration(p);

	pin_here();
	if (int error = readers_start(p, &l)) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	srcu_stats before = stats_of(p);
	Times times(p, l.readers > 0, state.max_iterations);
	while (state.KeepRunningBatch(Times::batch))
		times.take_batch();
	times.close_window();
	srcu_stats after = stats_of(p);
	readers_stop();

	state.counters["p50"] = times.percentile(50);
	state.counters["p99"] = times.percentile(99);
	if (l.readers)
		state.counters["reads/us"] = times.sections_per_us();
	if (after.grace_periods > before.grace_periods)
		state.counters["membarriers"] =
			static_cast<double>(after.membarriers - before.membarriers) /
			static_cast<double>(after.grace_periods - before.grace_periods);
}

/* An iteration is one updater's wait for a grace period. */
void concurrent_grace_periods(
	benchmark::State &state, const peer *p, unsigned updaters, const load &l)
{
	/* With a registry that is empty some peers have nothing to wait for. */
	Registration registration(p);

	pin_here();
	int error = readers_start(p, &l);
	if (!error && (error = updaters_start(p, updaters)))
		readers_stop();
	if (error) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	srcu_stats before = stats_of(p);
	tally kept = {};
	while (state.KeepRunningBatch(state.max_iterations))
		kept = updaters_run(static_cast<uint64_t>(state.max_iterations));
	srcu_stats after = stats_of(p);
	updaters_stop();
	readers_stop();

	auto seconds = static_cast<double>(kept.ns) / 1e9;
	state.counters["calls/s"] = static_cast<double>(kept.calls) / seconds;
	if (l.readers)
		state.counters["reads/us"] = static_cast<double>(kept.sections) / seconds / 1e6;
	if (after.grace_periods > before.grace_periods)
		state.counters["calls/gp"] =
			static_cast<double>(state.iterations()) /
			static_cast<double>(after.grace_periods - before.grace_periods);
}

/* An iteration is one CPU's share of a scan. */
void scan(benchmark::State &state, std::size_t stride, std::size_t cpus)
{
	void *memory = scan_alloc(stride, cpus);

	if (!memory) {
		state.SkipWithError(std::strerror(errno));
		return;
	}
	pin_here();
	while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(cpus)))
		benchmark::DoNotOptimize(scan_sum(memory, stride, cpus));
	scan_free(memory, stride, cpus);
}

void increments(benchmark::State &state, void (*run_batch)(long n))
{
	if (int error = inc_prepare()) {
		state.SkipWithError(std::strerror(error));
		return;
	}
	pin_here();
	time_batches(state, run_batch);
}

std::string gp_name(const peer *p, const load &l)
{
	return std::string("gp/") + p->name + "/readers:" + std::to_string(l.readers) +
	       "/in_ns:" + std::to_string(l.in_ns) + "/out_ns:" + std::to_string(l.out_ns);
}

void register_concurrent(const peer *p)
{
	for (unsigned readers = 0; readers <= 1; readers++)
		for (unsigned updaters = 1; updaters <= UPDATERS_MAX; updaters *= 2)
			benchmark::RegisterBenchmark(
				(std::string("gp_concurrent/") + p->name +
					"/updaters:" + std::to_string(updaters) +
					"/readers:" + std::to_string(readers))
					.c_str(),
				concurrent_grace_periods, p, updaters, load{readers, 0, 0})
				->UseRealTime();
}

void register_peer(const peer *p)
{
	static const load loads[] = {
		{0, 0, 0}, {1, 0, 0}, {1, 1000, 1000}, {2, 0, 0}, {2, 1000, 1000}};
	int error = p->prepare ? p->prepare() : 0;

	if (error) {
		std::fprintf(
			stderr, "srcu-bench: %s is left out: %s\n", p->name, std::strerror(-error));
		return;
	}
	if (p->read_batch)
		benchmark::RegisterBenchmark(
			(std::string("read/") + p->name).c_str(), read_pairs, p);
	if (!p->synchronize)
		return;
	for (const load &l : loads) {
		/* Two readers on one CPU would show the scheduler's time slices. */
		if (l.readers > 1 && l.readers >= usable_cpus())
			continue;
		benchmark::RegisterBenchmark(gp_name(p, l).c_str(), grace_periods, p, l);
	}
	if (p->concurrent)
		register_concurrent(p);
}

void poll_calls(benchmark::State &state, void (*run_batch)(long n))
{
	pin_here();
	time_batches(state, run_batch);
}

void register_percpu()
{
	static const std::size_t strides[] = {128, 4096, 4160, 65536};
	static const std::size_t sizes[] = {64, 1024, 4096};

	for (std::size_t stride : strides)
		for (std::size_t cpus : sizes)
			benchmark::RegisterBenchmark(
				("percpu/scan/stride:" + std::to_string(stride) +
					"/cpus:" + std::to_string(cpus))
					.c_str(),
				scan, stride, cpus);
	benchmark::RegisterBenchmark("percpu/inc/this_cpu_inc", increments, inc_this_cpu);
	benchmark::RegisterBenchmark("percpu/inc/__this_cpu_inc", increments, inc_plain_this_cpu);
	benchmark::RegisterBenchmark("percpu/inc/atomic_add", increments, inc_atomic);
	benchmark::RegisterBenchmark("percpu/inc/plain_add", increments, inc_plain);
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
	register_updates(flood);
	register_seqs();
	register_injects();
	benchmark::RegisterBenchmark("poll/get_state/srcu", poll_calls, poll_get_state);
	benchmark::RegisterBenchmark("poll/start_poll/srcu", poll_calls, poll_start_poll);
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
