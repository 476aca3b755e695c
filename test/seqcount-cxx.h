/* SPDX-License-Identifier: MIT */
/*
 * An inline function that reads, included by two C++ units which are linked
 * into one program.  For test/seqcount-cxx*.cc only.
 */
#ifndef TEST_SEQCOUNT_CXX_H
#define TEST_SEQCOUNT_CXX_H

#include <cstdint>

#include <seqcount/seqcount.h>

struct point {
	std::uint64_t x;
	std::uint64_t y;
};

struct place {
	seqcount_t seq;
	point at;
};

inline point read_place(const place &p)
{
	point copy;
	unsigned int start;

	do {
		start = read_seqcount_begin(&p.seq);
		seqcount_load(&copy, &p.at, sizeof(copy));
	} while (read_seqcount_retry(&p.seq, start));
	return copy;
}

void move_place(place &p, std::uint64_t x, std::uint64_t y);

#endif // TEST_SEQCOUNT_CXX_H
