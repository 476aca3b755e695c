/* SPDX-License-Identifier: MIT */
/*
 * srcu-bench: registers the benchmarks with Google Benchmark, which repeats and
 * times them, and hands their results to the table of figures.  Every timed
 * loop is a call into C.
 */
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/child.h"
#include "bench/children.hh"
#include "bench/figures.h"
#include "bench/injects.hh"
#include "bench/lines.hh"
#include "bench/noise.h"
#include "bench/options.hh"
#include "bench/percpu.hh"
#include "bench/progress.hh"
#include "bench/reads.hh"
#include "bench/reporter.hh"
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

void add_context(const char *key, const char *value)
{
	benchmark::AddCustomContext(key, value);
}

void print_figures(std::FILE *to)
{
	char warning[256];
	noise n;

	figures_print(to);
	if (noise_end(&n) && noise_warning(&n, warning, sizeof(warning)))
		std::fprintf(to, "Too noisy to conclude from: %s\n", warning);
}

/* The names of the benchmarks that a run has, a line each. */
std::string list(const Options &options)
{
	static char yes[] = "--benchmark_list_tests=true", no[] = "--benchmark_list_tests=false";
	char *first[] = {options.args[0], yes, nullptr}, *then[] = {options.args[0], no, nullptr};
	benchmark::ConsoleReporter reporter;
	std::ostringstream names;
	int argc = 2;

	reporter.SetOutputStream(&names);
	benchmark::Initialize(&argc, first);
	benchmark::RunSpecifiedBenchmarks(&reporter);
	argc = 2;
	benchmark::Initialize(&argc, then);
	return names.str();
}

void register_all(const Options &options)
{
	for (const peer *const *p = peers; *p; p++)
		register_peer(*p);
	register_down_up();
	register_updates(options.flood);
	register_children();
	register_seqs();
	register_lines();
	register_injects();
	register_percpu();
}

/* Return: whether there was anything to run. */
bool run(const Options &options)
{
	std::unique_ptr<benchmark::BenchmarkReporter> inner(
		benchmark::CreateDefaultDisplayReporter());
	benchmark::JSONReporter json;
	bool console = dynamic_cast<benchmark::ConsoleReporter *>(inner.get());
	bool to_json = dynamic_cast<benchmark::JSONReporter *>(inner.get());
	bool hide_repetitions = !options.given("--benchmark_report_aggregates_only") &&
				!options.given("--benchmark_display_aggregates_only");
	File display_file(inner.get()), file(&json);
	Display display(to_json ? &display_file : inner.get(), hide_repetitions);
	bool file_is_json = options.given("--benchmark_out") &&
			    !std::strcmp(options.value("--benchmark_out_format", "json"), "json");

	noise_begin();
	if (!benchmark::RunSpecifiedBenchmarks(&display, file_is_json ? &file : nullptr))
		return false;
	progress_clear();
	std::fflush(stdout);
	/* Machine-readable output is not mixed with the table. */
	print_figures(console ? stdout : stderr);
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	scan_main(argc, argv);
	child_main(argc, argv);

	Options options(argc, argv);
	std::vector<char *> args = options.args;
	int left = static_cast<int>(args.size());

	benchmark::Initialize(&left, args.data(), refuse_options);
	if (left > 1) {
		std::fprintf(stderr, "srcu-bench: unknown option or bad value: %s\n", args[1]);
		refuse_options();
	}

	/* The C library is faster before the first thread; all that is measured comes after. */
	std::thread([] {}).join();
	register_all(options);
	machine_describe(add_context);

	if ((options.progress || isatty(STDERR_FILENO)) && !options.given("--benchmark_list_tests"))
		progress_begin(list(options), options.repetitions());
	if (!run(options)) {
		std::fprintf(stderr, "srcu-bench: no benchmark matches\n");
		return 2;
	}
	benchmark::Shutdown();
	return 0;
}
