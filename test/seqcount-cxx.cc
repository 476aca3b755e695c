/* SPDX-License-Identifier: MIT */
/*
 * C++ test of <seqcount/seqcount.h>: compiles, links from two units without any
 * library, and works.  Exits with 0 when it does.
 */
#include "test/seqcount-cxx.h"

static seqcount_t zero = SEQCNT_ZERO(zero);

static bool reads_what_was_written(place &p)
{
	move_place(p, 3, 4);
	const point seen = read_place(p);
	return seen.x == 3 && seen.y == 4;
}

static bool copies_through_void(const place &p)
{
	const void *from = &p.at;
	point copy = {0, 0};

	seqcount_load(&copy, from, sizeof(copy));
	return copy.x == p.at.x && copy.y == p.at.y;
}

int main()
{
	place p = {SEQCNT_ZERO(p.seq), {1, 2}};
	unsigned int start;

	seqcount_init(&p.seq);
	if (!raw_seqcount_try_begin(&zero, start) || read_seqcount_retry(&zero, start))
		return 1;
	if (!reads_what_was_written(p))
		return 2;
	return copies_through_void(p) ? 0 : 3;
}
