/* SPDX-License-Identifier: MIT */
/*
 * The command line.
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "bench/options.hh"
#include "bench/shim.h"

namespace
{

constexpr std::size_t usual_flood = 1000000;

/* The first of a pair is for all runs, the second for quick ones. */
char repeat[][32] = {"--benchmark_repetitions=9", "--benchmark_repetitions=3"};
char min_time[][32] = {"--benchmark_min_time=0.05", "--benchmark_min_time=0.01"};
char interleaving[] = "--benchmark_enable_random_interleaving=true";

void usage(std::FILE *to)
{
	std::fprintf(to, "usage: srcu-bench [--quick] [--unpinned] [--progress] "
			 "[--flood=<callbacks>] [--benchmark_filter=<regex>] "
			 "[--benchmark_<option>=<value>] ...\n"
			 "srcu-bench(1) and Google Benchmark's user guide have the options.\n");
}

/* What follows @name in @arg when that begins with it; NULL when it does not. */
const char *after(const char *arg, const char *name)
{
	std::size_t length = std::strlen(name);

	return std::strncmp(arg, name, length) ? nullptr : arg + length;
}

std::size_t parse_flood(const char *text)
{
	char *end;
	unsigned long long flood = std::strtoull(text, &end, 10);

	if (*end || !flood || flood > UINT32_MAX) {
		std::fprintf(stderr, "srcu-bench: bad value of --flood\n");
		refuse_options();
	}
	return static_cast<std::size_t>(flood);
}

} // namespace

void refuse_options()
{
	usage(stderr);
	std::exit(2);
}

Options::Options(int argc, char **argv)
{
	std::vector<char *> left;

	for (int i = 1; i < argc; i++) {
		if (!std::strcmp(argv[i], "--help")) {
			usage(stdout);
			std::exit(0);
		} else if (!std::strcmp(argv[i], "--quick")) {
			quick = true;
		} else if (!std::strcmp(argv[i], "--unpinned")) {
			unpinned = true;
		} else if (!std::strcmp(argv[i], "--progress")) {
			progress = true;
		} else if (const char *text = after(argv[i], "--flood=")) {
			flood = parse_flood(text);
		} else {
			left.push_back(argv[i]);
		}
	}
	if (quick)
		bench_be_quick();
	if (unpinned)
		bench_unpin();
	if (!flood)
		flood = bench_scale(usual_flood);
	args = {argv[0], repeat[quick], min_time[quick], interleaving};
	args.insert(args.end(), left.begin(), left.end());
}

bool Options::given(const char *name) const
{
	return value(name, nullptr) != nullptr;
}

const char *Options::value(const char *name, const char *otherwise) const
{
	const char *last = otherwise;

	for (const char *arg : args) {
		const char *rest = after(arg, name);

		if (rest && (!*rest || *rest == '='))
			last = *rest ? rest + 1 : rest;
	}
	return last;
}

unsigned long Options::repetitions() const
{
	return std::strtoul(value("--benchmark_repetitions", "1"), nullptr, 10);
}
