/* SPDX-License-Identifier: MIT */
/*
 * Progress is counted in repetitions.  The first one of a benchmark takes longer
 * than the others, for until it takes long enough it is run again with more
 * iterations: the time that is left is estimated from both kinds apart.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

#include "bench/progress.hh"
#include "bench/shim.h"

namespace
{

struct Kind {
	unsigned long all = 0, begun = 0;
	uint64_t ns = 0;

	double mean() const
	{
		return begun ? static_cast<double>(ns) / static_cast<double>(begun) : 0;
	}
	double left(double mean_time) const
	{
		return static_cast<double>(all - std::min(all, begun)) * mean_time;
	}
};

bool shown, on_terminal;
Kind firsts, others;
/* The iterations of each benchmark's last run. */
std::map<std::string, benchmark::IterationCount> iterations;
Kind *running;
uint64_t last_step_ns, printed_ns;

/* A benchmark that chooses its repetitions has them in its name. */
unsigned long repetitions_of(const std::string &full_name, unsigned long otherwise)
{
	static const std::string key = "/repeats:";
	std::size_t at = full_name.find(key);

	return at == std::string::npos
		       ? otherwise
		       : std::strtoul(full_name.c_str() + at + key.size(), nullptr, 10);
}

void print(const std::string &name)
{
	double later = others.begun ? others.mean() : firsts.mean();
	auto left = static_cast<unsigned>((firsts.left(firsts.mean()) + others.left(later)) / 1e9);
	std::ostringstream line;
	winsize size = {};

	line << '[' << firsts.begun + others.begun << '/' << firsts.all + others.all << "] ";
	if (firsts.ns)
		line << left / 60 << " min " << left % 60 << " s left: ";
	line << name;
	if (!on_terminal) {
		std::fprintf(stderr, "%s\n", line.str().c_str());
		return;
	}
	/* A line that is broken cannot be overwritten. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		size.ws_col = 80;
	std::fprintf(stderr, "\r\033[K%.*s", size.ws_col - 1, line.str().c_str());
}

} // namespace

void progress_begin(const std::string &list, unsigned long repetitions)
{
	std::istringstream names(list);

	shown = true;
	on_terminal = isatty(STDERR_FILENO);
	for (std::string name; std::getline(names, name);) {
		firsts.all++;
		others.all += repetitions_of(name, repetitions) - 1;
	}
}

void progress_step(const std::string &name, const benchmark::State &state)
{
	const uint64_t interval_ns = on_terminal ? 100000000 : 5000000000;
	std::string key = name + '/' + std::to_string(state.threads());
	uint64_t now = clock_ns();

	if (!shown)
		return;
	if (running)
		running->ns += now - last_step_ns;
	last_step_ns = now;

	auto found = iterations.find(key);
	if (found == iterations.end())
		firsts.begun++;
	/* With the same number as before it is a repetition, with another one a new attempt. */
	if (found != iterations.end() && found->second == state.max_iterations) {
		running = &others;
		others.begun++;
	} else {
		running = &firsts;
	}
	iterations[key] = state.max_iterations;

	if (!printed_ns || now - printed_ns >= interval_ns) {
		print(name);
		printed_ns = now;
	}
}

void progress_clear()
{
	if (shown && on_terminal)
		std::fputs("\r\033[K", stderr);
}
