/* SPDX-License-Identifier: MIT */
/*
 * A peer beside whose updates a reader sleeps: what an update costs while some
 * other user of the library is slow.  One C file for each library, a line here
 * and in isolation.c and bench.am.  Used by the program's main thread only.
 */
#ifndef BENCH_ISOLATION_H
#define BENCH_ISOLATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum isolation_call {
	ISOLATION_SYNCHRONIZE, /* wait for a grace period */
	ISOLATION_CALL,        /* from queueing a callback to its invocation */
	ISOLATION_BARRIER,     /* wait for a callback that has just been queued */
	ISOLATION_POLL,        /* poll for a grace period until it is over */
	ISOLATION_CALLS,
};

struct isolation_peer {
	const char *name;

	/* Around all use.  0 or a negative errno. */
	int (*begin)(void);
	void (*end)(void);

	/* The time of each call; NULL: the peer does not have it. */
	uint64_t (*time[ISOLATION_CALLS])(void);

	/* Around all use in the sleeper's thread.  NULL: nothing to do. */
	void (*enter)(void);
	void (*leave)(void);

	/* What the sleeper repeats: call @sleep once. */
	void (*round)(void (*sleep)(void));
};

extern const struct isolation_peer isolation_srcu;
extern const struct isolation_peer isolation_srcu_alone;
extern const struct isolation_peer isolation_urcu_memb;

/* All that this program was built with; ends with NULL. */
extern const struct isolation_peer *const isolation_peers[];

/* The calls' names in benchmarks. */
extern const char *const isolation_names[ISOLATION_CALLS];

/* Begin, and start a sleeper that is asleep at the return.  0 or a negative errno. */
int isolation_start(const struct isolation_peer *peer);
void isolation_stop(const struct isolation_peer *peer);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_ISOLATION_H */
