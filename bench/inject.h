/* SPDX-License-Identifier: MIT */
/*
 * The ways an event takes from an eventfd to a vector that is pending in a local
 * APIC, of irqfd-demo's model and of KVM.  Used by the program's main thread
 * only; one way at a time.
 */
#ifndef BENCH_INJECT_H
#define BENCH_INJECT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Events in a batch, each with an eventfd and a vector of its own. */
#define INJECT_BATCH 16

/* The vector of a batch's first event. */
#define INJECT_VECTOR 0x30

struct inject_path {
	const char *name;

	/* Around all use.  NULL, or why the way cannot be used here. */
	const char *(*begin)(void);
	void (*end)(void);

	/*
	 * Inject a batch of events, one after the other, each until its vector is
	 * pending, and put the time into @ns; then take the vectors, which is in no
	 * time.  Returns false when an event was lost.
	 */
	bool (*time)(uint64_t *ns);
};

extern const struct inject_path inject_direct;
extern const struct inject_path inject_workqueue;
extern const struct inject_path inject_eventfd;
extern const struct inject_path inject_signal;
extern const struct inject_path inject_kvm;

/* All that this program was built with; ends with NULL. */
extern const struct inject_path *const inject_paths[];

/* What two threads did that inject at the same time. */
struct inject_tally {
	uint64_t injected, coalesced;
	uint64_t ns;
};

/* inject-both.c: one way, inject_direct's, from two threads. */

void inject_both_begin(void);
void inject_both_end(void);

/*
 * Inject @n events from each of two threads on a CPU of its own, each to the
 * other's APIC, and take what the other injects.  Returns false when the last
 * event of one was not seen by the other, or an event is not accounted for.
 */
bool inject_both(uint64_t n, struct inject_tally *tally);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_INJECT_H */
