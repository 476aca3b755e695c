/* SPDX-License-Identifier: MIT */
/*
 * The shadow page table, a toy of one level: which frame a guest's page is on.
 * Its entries are made by faults and taken away when the host's memory changes
 * (the MMU notifier) or a slot does.
 *
 * A fault looks the page up without the lock, so what it found may be out of date
 * once it has the lock.  It notes the notifier's sequence before it looks, and
 * begins anew when the sequence has moved or a change is under way.
 */
#ifndef MMU_H
#define MMU_H

#include "host.h"

#include <pthread.h>

#define NR_SPTES 64

struct memory;
struct memslot;

/* @gfn is mapped to @frame; 0: nothing is mapped.  One that falls on another's place evicts it. */
struct spte {
	uint64_t gfn;
	uint64_t frame;
};

struct mmu {
	struct host_listener listener;

	/* Under invalidate_lock.  A swap of the slots waits until there are no invalidations. */
	pthread_mutex_t invalidate_lock;
	pthread_cond_t invalidate_over;
	unsigned int invalidations;

	/* Under lock, but for a fault's first look at the sequence. */
	pthread_mutex_t lock;
	uint64_t sequence;        /* invalidations that have ended */
	unsigned int in_progress; /* those under way that a slot has a share in */
	uint64_t first, end;      /* hvas that cover them */
	struct spte spte[NR_SPTES];

	/* Called by a fault between its look and the lock, when it is not NULL. */
	void (*window)(void *data);
	void *window_data;
};

void mmu_init(struct memory *memory);
void mmu_end(struct memory *memory);

/*
 * Map @gfn.  Returns 0 and the frame in *@frame; -ENOENT when no slot has it,
 * -EFAULT when its slot has no memory there.
 */
int mmu_fault(struct memory *memory, uint64_t gfn, uint64_t *frame);

/* The frame that @gfn is mapped to, or 0: what the guest's CPU would use. */
uint64_t mmu_mapped(struct memory *memory, uint64_t gfn);

/*
 * The notifier: between the two calls hvas [first, end) change their frames.  No
 * entry for them is left when the second returns.
 */
void mmu_invalidate_start(struct memory *memory, uint64_t first, uint64_t end);
void mmu_invalidate_end(struct memory *memory, uint64_t first, uint64_t end);

/* Drop the entries of @slot. */
void mmu_flush_slot(struct memory *memory, const struct memslot *slot);

/*
 * Around the moment at which other slots are published: both ends of an
 * invalidation must find the same slots, so one that is under way is waited for
 * and none begins.
 */
void mmu_swap_begin(struct memory *memory);
void mmu_swap_end(struct memory *memory);

#endif /* MMU_H */
