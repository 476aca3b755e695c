/* SPDX-License-Identifier: MIT */
/*
 * The command line: the program's own options, and what is left for Google
 * Benchmark, with the program's defaults.
 */
#ifndef BENCH_OPTIONS_HH
#define BENCH_OPTIONS_HH

#include <cstddef>
#include <vector>

struct Options {
	Options(int argc, char **argv);

	std::size_t flood = 0;
	bool quick = false;
	bool unpinned = false;
	bool progress = false;

	/* Whether Google Benchmark's option @name is given, and its last value. */
	bool given(const char *name) const;
	const char *value(const char *name, const char *otherwise) const;

	/* The repetitions of a benchmark that does not choose its own. */
	unsigned long repetitions() const;

	/* The name of the program, the defaults, then what was given: the last counts. */
	std::vector<char *> args;
};

/* Google Benchmark calls this for an option that it cannot take, and would exit with 0. */
[[noreturn]] void refuse_options();

#endif /* BENCH_OPTIONS_HH */
