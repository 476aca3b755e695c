/* SPDX-License-Identifier: MIT */
/*
 * The demo's event counts and latency histograms, on the library's per-CPU
 * counters: an increment is one restartable sequence, in a signal handler as
 * anywhere else.  Owned here; every part counts, run.c and report.c read.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "demo.h"

#include <srcu/percpu.h>

struct path_counters {
	uint64_t injected;  /* events that devices raised */
	uint64_t delivered; /* events that made a vector pending */
	uint64_t coalesced; /* events that found theirs pending already, somewhere on the way */
};

/* Sums over all CPUs are what counts; see percpu_sum(). */
struct counters {
	struct path_counters path[NR_PATHS];
	uint64_t taken;     /* pending vectors that CPUs took */
	uint64_t torn;      /* deliveries by a route that no table held */
	uint64_t stale;     /* deliveries by a route whose replacement was complete */
	uint64_t by_worker; /* injections that left the fast path for the worker */
	uint64_t updates;   /* routing updates that returned */
	uint64_t assigned;  /* irqfds that were bound */
	uint64_t released;  /* irqfds that are gone */
	uint64_t replugs;   /* devices that went and came back */

	uint64_t slot_changes;       /* slots made, moved and deleted */
	uint64_t remaps;             /* pages that changed their frame */
	uint64_t faults;             /* pages mapped by CPUs */
	uint64_t stale_slots;        /* slots that CPUs found after they were gone */
	uint64_t stale_translations; /* entries of the shadow page table that had outlived their
					page */
	/* Only where a mechanism is left out. */
	uint64_t stuck;       /* readers of a copy who would have waited for ever */
	uint64_t ended_twice; /* irqfds that were to be ended once more */
	uint64_t after_end;   /* events for a machine that was gone */
};

/*
 * A histogram is a per-CPU object: 16 buckets for each doubling, the first 16
 * of 16 ns each, up to 8 s.
 */
#define HIST_BUCKETS 256

struct hist {
	uint64_t bucket[HIST_BUCKETS];
};

extern struct counters *counters; /* per-CPU */

#define count(member)        this_cpu_inc(counters->member)
#define count_add(member, n) this_cpu_add(counters->member, n)

/* Before any other thread exists, and after all have ended. */
void counters_init(void);
void counters_free(void);

/* Add a latency to @path's histogram.  Any context. */
void latency_record(enum path path, uint64_t ns);

/* Copy @path's histogram, summed over CPUs. */
void latency_read(enum path path, struct hist *to);

/* The middle of a bucket. */
uint64_t hist_bucket_ns(unsigned int bucket);

uint64_t hist_total(const struct hist *hist);

/*
 * The same with one bucket for each doubling: the first one below HIST_FIRST_NS,
 * the last one with all that is longer.
 */
#define HIST_DOUBLINGS 16
#define HIST_FIRST_NS  256u

void hist_by_doubling(const struct hist *hist, uint64_t to[HIST_DOUBLINGS]);

/* The latency below which a @q-th part of @hist lies, in ns; 0 when it is empty. */
uint64_t hist_quantile(const struct hist *hist, double q);

#endif /* COUNTERS_H */
