/* SPDX-License-Identifier: MIT */
/*
 * Sections that one thread begins and another one ends.  Called from the program's
 * main thread only.
 */
#ifndef BENCH_DOWN_UP_H
#define BENCH_DOWN_UP_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sections go to the other thread in blocks of so many. */
#define DOWN_UP_BLOCK 1024

struct down_up_peer {
	const char *name;

	/* Begin so many sections, with what their ends take; end them. */
	void (*down)(uintptr_t *tokens);
	void (*up)(const uintptr_t *tokens);
};

/* Ends with one without a name. */
extern const struct down_up_peer down_up_peers[];

/* Start the thread that ends sections, on the second CPU.  0 or a positive errno. */
int down_up_start(const struct down_up_peer *peer);

/*
 * Begin a block of sections, as soon as there is room.  Gives the time that it took, and
 * that the end of an earlier block took, or 0 when there was none.
 */
void down_up_block(uint64_t *down_ns, uint64_t *up_ns);

/* Returns when all have been ended. */
void down_up_stop(void);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_DOWN_UP_H */
