/* SPDX-License-Identifier: MIT */
/*
 * The reporters.
 */
#include <string>

#include "bench/figures.h"
#include "bench/progress.hh"
#include "bench/reporter.hh"

namespace
{

using Run = benchmark::BenchmarkReporter::Run;

void add_to_figures(const Run &run)
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

Run run_of(const std::string &name)
{
	Run run;

	run.run_name.function_name = name;
	run.family_index = run.per_family_instance_index = 0;
	run.repetition_index = 0;
	run.repetitions = 1;
	run.statistics = nullptr;
	return run;
}

void add_figure(void *arg, const result *r)
{
	static const char *const bounds[] = {"-", "<=", ">="};
	const figure *f = r->figure;
	Run run = run_of(std::string("figure:") + f->name);

	run.report_label = std::string(f->beside ? f->beside : "-") + ' ' + r->unit + ' ' +
			   bounds[f->kind] + ' ' + (*r->verdict ? r->verdict : "-");
	run.counters["ours"] = r->ours;
	run.counters["theirs"] = r->theirs;
	run.counters["value"] = r->value;
	run.counters["low"] = r->low;
	run.counters["high"] = r->high;
	run.counters["bound"] = f->bound;
	static_cast<std::vector<Run> *>(arg)->push_back(run);
}

Run run_of(const noise &n)
{
	Run run = run_of(std::string("machine/noise"));
	char warning[256];

	if (noise_warning(&n, warning, sizeof(warning)))
		run.report_label = warning;
	run.counters["probes"] = static_cast<double>(n.probes);
	run.counters["low_ns"] = n.low_ns;
	run.counters["median_ns"] = n.median_ns;
	run.counters["high_ns"] = n.high_ns;
	run.counters["cpu_share"] = n.cpu_share;
	run.counters["steal"] = n.steal;
	run.counters["others"] = n.others;
	run.counters["load"] = n.load;
	return run;
}

} // namespace

/* Google Benchmark has set the streams of the reporter that it knows. */
bool Passing::ReportContext(const Context &context)
{
	inner_->SetOutputStream(&GetOutputStream());
	inner_->SetErrorStream(&GetErrorStream());
	return inner_->ReportContext(context);
}

void Passing::ReportRuns(const std::vector<Run> &runs)
{
	inner_->ReportRuns(runs);
}

void Passing::Finalize()
{
	inner_->Finalize();
}

void Display::ReportRuns(const std::vector<Run> &runs)
{
	std::vector<Run> shown;

	for (const Run &run : runs) {
		add_to_figures(run);
		if (!hide_repetitions_ || run.run_type == Run::RT_Aggregate ||
			run.repetitions <= 1 || run.error_occurred)
			shown.push_back(run);
	}
	progress_clear();
	inner_->ReportRuns(shown);
}

void File::Finalize()
{
	std::vector<Run> last;
	noise n;

	figures_each(add_figure, &last);
	if (noise_end(&n))
		last.push_back(run_of(n));
	inner_->ReportRuns(last);
	inner_->Finalize();
}
