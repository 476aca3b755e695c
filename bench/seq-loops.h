/* SPDX-License-Identifier: MIT */
/*
 * The objects and timed loops of one adapter.  It defines, before it includes
 * this file,
 *
 *	SEQ_GUARD		the type of what guards an object
 *	SEQ_INIT(guard)
 *	SEQ_READ(guard, copy, data)	*copy = *data
 *	SEQ_WRITE(guard, data, copy)	*data = *copy
 *	SEQ_COPIES		how many of the data an object has, the first at
 *				@data; without it 1
 *
 * SEQ_READ() and SEQ_WRITE() are statements.  Macros, since the adapter knows the
 * object's type, and its size when compiling, as a program would.
 */
#ifndef BENCH_SEQ_LOOPS_H
#define BENCH_SEQ_LOOPS_H

#include <stdint.h>

#include "bench/seq.h"

#ifndef SEQ_COPIES
#define SEQ_COPIES 1
#endif

/* What is at @p is in memory: somebody reads it, or may have changed it. */
static inline void seq_use(void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* An object is aligned for the widest moves that any peer's copy is made of. */
#define SEQ_OBJECT(size)                                                             \
	struct data_##size {                                                         \
		uint64_t words[(size) / 8];                                          \
	};                                                                           \
                                                                                     \
	static struct {                                                              \
		SEQ_GUARD guard;                                                     \
		struct data_##size data[SEQ_COPIES] __attribute__((aligned(32)));    \
	} shared_##size __attribute__((aligned(128)));                               \
                                                                                     \
	static void read_##size(long n)                                              \
	{                                                                            \
		struct data_##size copy __attribute__((aligned(32)));                \
                                                                                     \
		for (; n > 0; n--) {                                                 \
			SEQ_READ(&shared_##size.guard, &copy, shared_##size.data);   \
			seq_use(&copy);                                              \
		}                                                                    \
	}                                                                            \
                                                                                     \
	static void write_##size(long n)                                             \
	{                                                                            \
		struct data_##size value;                                            \
                                                                                     \
		for (; n > 0; n--) {                                                 \
			for (unsigned int i = 0; i < (size) / 8; i++)                \
				value.words[i] = (uint64_t)n + i;                    \
			SEQ_WRITE(&shared_##size.guard, shared_##size.data, &value); \
		}                                                                    \
	}                                                                            \
                                                                                     \
	static void write_copy_##size(long n)                                        \
	{                                                                            \
		struct data_##size other __attribute__((aligned(32))) = {{0}};       \
                                                                                     \
		for (; n > 0; n--) {                                                 \
			seq_use(&other);                                             \
			SEQ_WRITE(&shared_##size.guard, shared_##size.data, &other); \
		}                                                                    \
	}

SEQ_OBJECT(8)
SEQ_OBJECT(16)
SEQ_OBJECT(32)
SEQ_OBJECT(64)
SEQ_OBJECT(128)
SEQ_OBJECT(256)

static void init(void)
{
	SEQ_INIT(&shared_8.guard);
	SEQ_INIT(&shared_16.guard);
	SEQ_INIT(&shared_32.guard);
	SEQ_INIT(&shared_64.guard);
	SEQ_INIT(&shared_128.guard);
	SEQ_INIT(&shared_256.guard);
}

/* The adapter's peer, but its name. */
#define SEQ_PEER                                                          \
	.init = init, .objects = {                                        \
			      {8, read_8, write_8, write_copy_8},         \
			      {16, read_16, write_16, write_copy_16},     \
			      {32, read_32, write_32, write_copy_32},     \
			      {64, read_64, write_64, write_copy_64},     \
			      {128, read_128, write_128, write_copy_128}, \
			      {256, read_256, write_256, write_copy_256}, \
	}

#endif /* BENCH_SEQ_LOOPS_H */
