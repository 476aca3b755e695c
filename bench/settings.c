/* SPDX-License-Identifier: MIT */
/*
 * What the command line chose for all benchmarks, and what follows from it.
 */
#include "bench/shim.h"

static bool quick, unpinned;

void bench_be_quick(void)
{
	quick = true;
}

size_t bench_scale(size_t n)
{
	if (!quick)
		return n;
	return n < 8 ? 1 : n / 8;
}

void bench_unpin(void)
{
	unpinned = true;
}

bool bench_pins(void)
{
	return !unpinned;
}
