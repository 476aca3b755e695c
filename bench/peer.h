/* SPDX-License-Identifier: MIT */
/*
 * A peer: one way to read and to wait for readers, as the benchmarks see it.
 *
 * Each peer is one C file (its adapter), which holds its domain and its reader
 * loops, so that the readers are inlined where a C program would have them
 * inlined.  A new peer is one such file, a line here, in peers.c and in bench.am.
 * Included by the adapters and by the program.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <srcu/srcu.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reader;

struct peer {
	const char *name;

	/* Once, before all else; 0 or a negative errno.  NULL: nothing to do. */
	int (*prepare)(void);

	/* Around all use in one thread.  NULL: threads need not be registered. */
	void (*enter)(void);
	void (*leave)(void);

	/* Run @n empty sections, and nothing else.  NULL: another peer stands for this one's. */
	void (*read_batch)(long n);

	/* Run sections as @reader says until it says stop.  NULL with synchronize. */
	void (*read_loop)(struct reader *reader);

	/* Wait for a grace period.  NULL: another peer stands for this one's. */
	void (*synchronize)(void);

	/*
	 * Run @n sections: one in the other, two or eight deep; with that many turns
	 * of a loop in each; with a look at the object, or at an entry of the hash
	 * table, in each.  The last two return how often what they saw had been given
	 * back.  NULL: not measured.
	 */
	void (*read_nested_2)(long n);
	void (*read_nested_8)(long n);
	void (*read_length)(long n, unsigned long spins);
	unsigned long (*read_object)(long n);
	unsigned long (*read_hash)(long n);

	/* Wait until no reader has what was unlinked before.  NULL: it cannot. */
	void (*retire)(void);

	/* Is read_batch() measured in several threads at once? */
	bool shared;

	/* Is it measured what a thread costs that has one section? */
	bool churn;

	/* Statistics of its domain; NULL: it has none. */
	int (*stats)(struct srcu_stats *stats);

	/*
	 * Is it measured with several updaters at once, in threads that are not
	 * registered?
	 */
	bool concurrent;

	/*
	 * Around the wait of a registered thread for those updaters.  NULL: they need
	 * not wait for it.
	 */
	void (*away)(void);
	void (*back)(void);
};

extern const struct peer peer_srcu_fast;
extern const struct peer peer_srcu;
extern const struct peer peer_srcu_expedited;
extern const struct peer peer_srcu_classic;
extern const struct peer peer_srcu_fenced;
extern const struct peer peer_srcu_fast_ptr;
extern const struct peer peer_srcu_fast_pic;
extern const struct peer peer_srcu_pic;
extern const struct peer peer_urcu_memb;
extern const struct peer peer_urcu_mb;
extern const struct peer peer_urcu_bp;
extern const struct peer peer_urcu_qsbr;
extern const struct peer peer_urcu_memb_call;
extern const struct peer peer_urcu_mb_call;
extern const struct peer peer_urcu_bp_call;
extern const struct peer peer_ck_epoch;
extern const struct peer peer_rwlock;
extern const struct peer peer_mutex;
extern const struct peer peer_spinlock;
extern const struct peer peer_refcount;
extern const struct peer peer_stores;
extern const struct peer peer_none;
extern const struct peer peer_membarrier;

/* All peers that this program was built with; ends with NULL. */
extern const struct peer *const peers[];

#ifdef __cplusplus
}
#endif

#endif /* BENCH_PEER_H */
