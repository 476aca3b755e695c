/* SPDX-License-Identifier: MIT */
/*
 * The second unit of test/seqcount-cxx.cc: writes, and reads by the same inline
 * function.
 */
#include "test/seqcount-cxx.h"

void move_place(place &p, std::uint64_t x, std::uint64_t y)
{
	const point to = {x, y};

	write_seqcount_begin(&p.seq);
	seqcount_store(&p.at, &to, sizeof(to));
	write_seqcount_end(&p.seq);
	if (read_place(p).x != x)
		__builtin_trap();
}
