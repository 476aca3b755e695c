/* SPDX-License-Identifier: MIT */
/*
 * A peer that has callbacks, as the benchmarks of queueing them, of having them
 * invoked and of waiting for them see it: one C file each, which holds the heads,
 * a line here and in callbacks.c and bench.am.  Used by the program's main thread
 * only.
 */
#ifndef BENCH_CALLBACKS_H
#define BENCH_CALLBACKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct callback_peer {
	const char *name;         /* of the peer */
	const char *enqueue_name; /* of the call */

	/*
	 * Around all use, with @nr heads; may start threads, with the caller's
	 * affinity.  0 or a negative errno.
	 */
	int (*begin)(size_t nr);
	void (*end)(void);

	/* Around what is done in a section, so that nothing queued there is invoked. */
	void (*enter)(void);
	void (*leave)(void);

	/* Queue the callbacks of the first @nr heads.  0 or a negative errno. */
	int (*enqueue)(size_t nr);

	/* Queue the callback of head @i, which counts itself by callbacks_count(). */
	int (*enqueue_counted)(size_t i);

	/* Wait until they have been invoked. */
	void (*barrier)(void);

	/* Around all use in a reader's thread.  NULL: nothing to do. */
	void (*enter_thread)(void);
	void (*leave_thread)(void);
};

extern const struct callback_peer callbacks_srcu;
extern const struct callback_peer callbacks_urcu;

/* All that this program was built with; ends with NULL. */
extern const struct callback_peer *const callback_peers[];

/* @nr heads of @size bytes, of any contents, in memory that is there already; NULL: there is none.
 */
void *callbacks_heads(size_t nr, size_t size);

/* From any thread. */
void callbacks_count(void);

/* All of these return 0 or a negative errno, and leave nothing queued. */

/* The time of queueing @nr callbacks in a section. */
int callbacks_time_enqueue(const struct callback_peer *peer, size_t nr, uint64_t *ns);

/* The time from the first of @nr calls until all callbacks have been invoked. */
int callbacks_time_invoke(const struct callback_peer *peer, size_t nr, uint64_t *ns);

/* The time of one barrier when nothing is queued. */
int callbacks_time_barrier(const struct callback_peer *peer, uint64_t *ns);

struct flood {
	uint64_t enqueue_ns; /* of queueing, in a section */
	uint64_t drain_ns;   /* from the section's end until all have been invoked */
	int64_t rss_bytes;   /* that queueing added to the process */
};

int callbacks_time_flood(const struct callback_peer *peer, size_t nr, struct flood *flood);

/* backlog.c */

/* How long a section of the reader that is in the way is, and how often callbacks come. */
#define BACKLOG_SECTION_NS  1000000u
#define BACKLOG_INTERVAL_NS 1000u

/*
 * Queue @nr callbacks one by one at that rate, while a reader sleeps in one
 * section after the other, and put into @waiting how many are left to invoke
 * after each.
 */
int backlog_run(const struct callback_peer *peer, size_t nr, uint32_t *waiting);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_CALLBACKS_H */
