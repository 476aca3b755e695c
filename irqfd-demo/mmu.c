/* SPDX-License-Identifier: MIT */
/*
 * Faults against invalidations; mmu.h has the contract.
 *
 * What keeps a fault from installing a frame that is gone:
 *
 *	fault                             notifier
 *	  A: sequence, load-acquire         start: drop entries, in_progress++ (lock)
 *	  look up slot and frame            C: the frame changes
 *	  lock; in progress? moved?         B: end: sequence++, release (lock)
 *	  install; unlock
 *
 * A fault that has the lock before start() installs what start() drops.  One that
 * has it between start() and end() sees that one is in progress.  One that has it
 * after end() has sampled the sequence before B, and sees that it moved, or read
 * B's value: A pairs with B, and C comes before B, so it found the new frame.
 */
#include "mmu.h"

#include "memslots.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static struct spte *spte_of(struct mmu *mmu, uint64_t gfn)
{
	return &mmu->spte[gfn % NR_SPTES];
}

/* Must a fault begin anew, one that found @hva when the sequence was @sequence?  Under the lock. */
static bool must_retry(const struct memory *memory, uint64_t sequence, uint64_t hva)
{
	const struct mmu *mmu = &memory->mmu;

	if (memory->switches.no_sequence_check)
		return false;
	if (mmu->in_progress && hva >= mmu->first && hva < mmu->end)
		return true;
	return mmu->sequence != sequence;
}

/*
 * One attempt; -EAGAIN when it has to be repeated.  A section from the look to the
 * installation: whoever makes a slot invalid waits for it, and flushes after.
 */
static int try_fault(struct memory *memory, uint64_t gfn, uint64_t *frame)
{
	struct mmu *mmu = &memory->mmu;
	uint64_t sequence, hva;
	const struct memslot *slot;
	int error = 0;

	srcu_guard(&memory->srcu);
	sequence = __atomic_load_n(&mmu->sequence, __ATOMIC_ACQUIRE); /* A, pairs with B */
	slot = memslots_find(memory, gfn);
	if (!slot)
		return -ENOENT;
	hva = memslot_hva(slot, gfn);
	*frame = host_frame(hva);
	if (!*frame)
		return -EFAULT;
	if (mmu->window)
		mmu->window(mmu->window_data);
	pthread_mutex_lock(&mmu->lock);
	if (must_retry(memory, sequence, hva))
		error = -EAGAIN;
	else
		*spte_of(mmu, gfn) = (struct spte){.gfn = gfn, .frame = *frame};
	pthread_mutex_unlock(&mmu->lock);
	return error;
}

int mmu_fault(struct memory *memory, uint64_t gfn, uint64_t *frame)
{
	int error;

	while ((error = try_fault(memory, gfn, frame)) == -EAGAIN)
		sched_yield();
	return error;
}

uint64_t mmu_mapped(struct memory *memory, uint64_t gfn)
{
	struct mmu *mmu = &memory->mmu;
	const struct spte *spte = spte_of(mmu, gfn);
	uint64_t frame;

	pthread_mutex_lock(&mmu->lock);
	frame = spte->gfn == gfn ? spte->frame : 0;
	pthread_mutex_unlock(&mmu->lock);
	return frame;
}

/* Drop the entries of @npages pages from @gfn on.  Under the lock. */
static void zap(struct mmu *mmu, uint64_t gfn, uint64_t npages)
{
	for (size_t i = 0; i < NR_SPTES; i++)
		if (mmu->spte[i].frame && mmu->spte[i].gfn - gfn < npages)
			mmu->spte[i].frame = 0;
}

void mmu_flush_slot(struct memory *memory, const struct memslot *slot)
{
	pthread_mutex_lock(&memory->mmu.lock);
	zap(&memory->mmu, slot->base_gfn, slot->npages);
	pthread_mutex_unlock(&memory->mmu.lock);
}

/*
 * Call @visit for each slot that has a share in hvas [first, end), with its share
 * of pages; invalid slots too, whose entries are still there.  Returns whether
 * there is one.  In a section, under the lock.
 */
static bool for_each_share(struct memory *memory, uint64_t first, uint64_t end,
	void (*visit)(struct mmu *mmu, uint64_t gfn, uint64_t npages))
{
	const struct memslots *slots = srcu_dereference(memory->slots, &memory->srcu);
	bool found = false;

	for (size_t i = 0; i < slots->nr; i++) {
		const struct memslot *slot = &slots->slot[i];
		uint64_t slot_end = slot->hva + (slot->npages << GUEST_PAGE_SHIFT);
		uint64_t from = first > slot->hva ? first : slot->hva;
		uint64_t to = end < slot_end ? end : slot_end;

		if (from >= to)
			continue;
		found = true;
		if (visit)
			visit(&memory->mmu,
				slot->base_gfn + ((from - slot->hva) >> GUEST_PAGE_SHIFT),
				(to - from) >> GUEST_PAGE_SHIFT);
	}
	return found;
}

/* Ranges under way are not told apart: a fault between two of them retries for nothing. */
static void count_in_progress(struct mmu *mmu, uint64_t first, uint64_t end)
{
	if (!mmu->in_progress++) {
		mmu->first = first;
		mmu->end = end;
		return;
	}
	if (first < mmu->first)
		mmu->first = first;
	if (end > mmu->end)
		mmu->end = end;
}

void mmu_invalidate_start(struct memory *memory, uint64_t first, uint64_t end)
{
	struct mmu *mmu = &memory->mmu;

	pthread_mutex_lock(&mmu->invalidate_lock);
	mmu->invalidations++;
	pthread_mutex_unlock(&mmu->invalidate_lock);

	srcu_guard(&memory->srcu);
	pthread_mutex_lock(&mmu->lock);
	if (for_each_share(memory, first, end, zap))
		count_in_progress(mmu, first, end);
	pthread_mutex_unlock(&mmu->lock);
}

/* The slots are those that the start found, since no swap comes between. */
static void end_progress(struct memory *memory, uint64_t first, uint64_t end)
{
	struct mmu *mmu = &memory->mmu;

	srcu_guard(&memory->srcu);
	pthread_mutex_lock(&mmu->lock);
	if (for_each_share(memory, first, end, NULL)) {
		/* B, pairs with A: the new frame (C) comes before. */
		__atomic_store_n(&mmu->sequence, mmu->sequence + 1, __ATOMIC_RELEASE);
		mmu->in_progress--;
	}
	pthread_mutex_unlock(&mmu->lock);
}

void mmu_invalidate_end(struct memory *memory, uint64_t first, uint64_t end)
{
	struct mmu *mmu = &memory->mmu;

	end_progress(memory, first, end);
	pthread_mutex_lock(&mmu->invalidate_lock);
	if (!--mmu->invalidations)
		pthread_cond_broadcast(&mmu->invalidate_over);
	pthread_mutex_unlock(&mmu->invalidate_lock);
}

void mmu_swap_begin(struct memory *memory)
{
	struct mmu *mmu = &memory->mmu;

	pthread_mutex_lock(&mmu->invalidate_lock);
	while (mmu->invalidations)
		pthread_cond_wait(&mmu->invalidate_over, &mmu->invalidate_lock);
}

void mmu_swap_end(struct memory *memory)
{
	pthread_mutex_unlock(&memory->mmu.invalidate_lock);
}

static struct memory *memory_of(struct host_listener *listener)
{
	return (struct memory *)((char *)listener - offsetof(struct memory, mmu.listener));
}

static void host_starts(struct host_listener *listener, uint64_t first, uint64_t end)
{
	mmu_invalidate_start(memory_of(listener), first, end);
}

static void host_ends(struct host_listener *listener, uint64_t first, uint64_t end)
{
	mmu_invalidate_end(memory_of(listener), first, end);
}

void mmu_init(struct memory *memory)
{
	struct mmu *mmu = &memory->mmu;

	pthread_mutex_init(&mmu->invalidate_lock, NULL);
	pthread_cond_init(&mmu->invalidate_over, NULL);
	pthread_mutex_init(&mmu->lock, NULL);
	mmu->listener.invalidate_start = host_starts;
	mmu->listener.invalidate_end = host_ends;
	host_listen(&mmu->listener);
}

void mmu_end(struct memory *memory)
{
	struct mmu *mmu = &memory->mmu;

	host_unlisten(&mmu->listener);
	pthread_mutex_destroy(&mmu->lock);
	pthread_cond_destroy(&mmu->invalidate_over);
	pthread_mutex_destroy(&mmu->invalidate_lock);
}
