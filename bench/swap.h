/* SPDX-License-Identifier: MIT */
/*
 * Peers that replace a table of interrupt routes while a thread injects by it.
 * One C file for each library, a line here and in swap.c and bench.am.  What
 * they have in common is here, so that it is the same for all.
 */
#ifndef BENCH_SWAP_H
#define BENCH_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct swap_peer {
	const char *name;

	/* Around all use, in the thread that replaces tables.  NULL: nothing to do. */
	void (*begin)(size_t nr);
	void (*end)(void);

	/* Around all use in the other threads.  NULL: nothing to do. */
	void (*enter)(void);
	void (*leave)(void);

	/* Replace the table by one of @nr routes; when it returns the old one is freed. */
	void (*swap)(size_t nr);

	/* Inject @n events, and take them.  Returns how many had a bad route. */
	unsigned long (*inject)(long n);

	/* What an unrelated reader repeats: call @sleep once, in a section if there is one. */
	void (*round)(void (*sleep)(void));
};

extern const struct swap_peer swap_model;
extern const struct swap_peer swap_srcu;
extern const struct swap_peer swap_srcu_expedited;
extern const struct swap_peer swap_urcu_memb;
extern const struct swap_peer swap_rwlock;

/* All that this program was built with; ends with NULL. */
extern const struct swap_peer *const swap_peers[];

/*
 * Begin, with a table of @nr routes, an injector that has injected, and a reader
 * that is asleep at the return.  0 or a positive errno.
 */
int swap_start(const struct swap_peer *peer, size_t nr);

/* Events injected since. */
uint64_t swap_injected(void);

/* Ends all.  Returns false when an event met a bad route. */
bool swap_stop(void);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_SWAP_H */
