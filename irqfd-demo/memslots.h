/* SPDX-License-Identifier: MIT */
/*
 * A machine's memory: the slots that say where in the process each part of the
 * guest's memory is, and what hangs on them.
 *
 * Readers find slots in a section of memory->srcu and take no lock.  The array of
 * slots never changes once it is published: an update copies it whole, publishes
 * the copy and frees the old one after a grace period.
 *
 * A slot is deleted or moved in two steps.  The first publishes it as invalid: no
 * section that begins later finds it, and after a grace period nobody makes
 * mappings to it, so that those there are can be dropped.  The second takes it
 * away.
 *
 * Locks: slots_lock, then mmu.invalidate_lock, then mmu.lock.
 */
#ifndef MEMSLOTS_H
#define MEMSLOTS_H

#include "mmu.h"

#include <srcu/srcu.h>

#define NR_SLOTS       32764 /* as on x86 */
#define MAX_GFN        (((uint64_t)1 << 40) - 1)
#define MAX_SLOT_PAGES (((uint64_t)1 << 31) - 1)
#define SLOT_LOG_DIRTY 1u
#define SLOT_READONLY  2u
#define SLOT_FLAGS     (SLOT_LOG_DIRTY | SLOT_READONLY)
#define SLOT_INVALID   (1u << 16) /* being deleted or moved: readers pass it over */
#define MEMSLOT_POISON 0xdd       /* what a retired array is filled with */

/* What the machine does without when the demo shows why it is there.  Set before use. */
struct memory_switches {
	bool no_grace_period;             /* publish, and free at once */
	bool one_step_delete;             /* drop the mappings, and take the slot away */
	bool no_sequence_check;           /* a fault does not look whether it has to retry */
	bool seed_failure_leaves_invalid; /* as in the first version of the two steps */
};

struct memslot {
	uint32_t id, flags;
	uint64_t base_gfn, npages;
	uint64_t hva;
	/*
	 * A bit for each page written, atomic; NULL when it is not logged.  Pages
	 * behind the arena's end have no memory and cannot be written: one word does.
	 */
	uint64_t *dirty;
};

struct memslots {
	struct memslots *retired; /* the next, when it is kept */
	size_t nr;
	struct memslot slot[];
};

struct iobus;

struct memory {
	/* Read in sections of srcu, written under slots_lock. */
	struct srcu_struct srcu;
	struct memslots *slots;
	struct iobus *iobus;

	pthread_mutex_t slots_lock;
	struct memslots *retired; /* kept for good where no grace period is waited for */
	struct mmu mmu;

	/* Set before the first use. */
	struct memory_switches switches;
	/* Called in each change of a slot between the two steps; false makes it fail. */
	bool (*prepare)(void *data);
	void *prepare_data;
};

struct memory *memory_create(void);

/* Returns 0, or -EBUSY with a reader left inside; nothing is freed then. */
int memory_destroy(struct memory *memory);

/*
 * Create, delete (size 0), move or reflag a slot, with the errors of
 * KVM_SET_USER_MEMORY_REGION.  Blocks for grace periods and for invalidations.
 */
int memslots_set(struct memory *memory, const struct step_memory *region);

/* Take the dirty bits of slot @id, with the errors of KVM_GET_DIRTY_LOG. */
int memslots_take_dirty(struct memory *memory, uint32_t id, uint64_t *dirty);

/* The slot that has @gfn, or NULL.  In a section of memory->srcu. */
const struct memslot *memslots_find(struct memory *memory, uint64_t gfn);

/* Where @slot has @gfn in the process. */
static inline uint64_t memslot_hva(const struct memslot *slot, uint64_t gfn)
{
	return slot->hva + ((gfn - slot->base_gfn) << GUEST_PAGE_SHIFT);
}

/*
 * guest.c: copy from and to the guest's memory through the slots.  Page by page:
 * on -EFAULT the pages before have been copied.  A write marks what it has
 * written as dirty.
 */
int guest_read(struct memory *memory, uint64_t gpa, void *to, size_t n);
int guest_write(struct memory *memory, uint64_t gpa, const void *from, size_t n);

/*
 * guest.c: write 12 bytes as KVM does for the wall-clock register: a version that
 * is odd meanwhile, and a time.  Nothing at gpa 0, which turns the clock off.
 */
void guest_write_clock(struct memory *memory, uint64_t gpa);

#endif /* MEMSLOTS_H */
