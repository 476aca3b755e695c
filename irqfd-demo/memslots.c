/* SPDX-License-Identifier: MIT */
/*
 * The slots: their checks, their two-step changes, and the dirty log; memslots.h
 * has the contract.  Owns the arrays and the dirty bitmaps.
 */
#include "memslots.h"

#include "demo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(ARENA_PAGES <= 64, "a slot's dirty bits fit into a word");

/* For the holder of slots_lock. */
static const struct memslot *find_id(const struct memslots *slots, uint32_t id)
{
	for (size_t i = 0; i < slots->nr; i++)
		if (slots->slot[i].id == id)
			return &slots->slot[i];
	return NULL;
}

const struct memslot *memslots_find(struct memory *memory, uint64_t gfn)
{
	const struct memslots *slots = srcu_dereference(memory->slots, &memory->srcu);

	for (size_t i = 0; i < slots->nr; i++) {
		const struct memslot *slot = &slots->slot[i];

		if (slot->flags & SLOT_INVALID)
			continue;
		if (gfn >= slot->base_gfn && gfn - slot->base_gfn < slot->npages)
			return slot;
	}
	return NULL;
}

/* A copy of @from without slot @id, and with @slot unless it is NULL. */
static struct memslots *slots_copy(
	const struct memslots *from, uint32_t id, const struct memslot *slot)
{
	struct memslots *to = zalloc(sizeof(*to) + (from->nr + 1) * sizeof(to->slot[0]));

	for (size_t i = 0; i < from->nr; i++)
		if (from->slot[i].id != id)
			to->slot[to->nr++] = from->slot[i];
	if (slot)
		to->slot[to->nr++] = *slot;
	return to;
}

/* A reader who should be gone meets poison, and not somebody else's memory. */
static void slots_retire(struct memory *memory, struct memslots *slots)
{
	memset(slots->slot, MEMSLOT_POISON, slots->nr * sizeof(slots->slot[0]));
	if (!memory->switches.no_grace_period) {
		free(slots);
		return;
	}
	slots->retired = memory->retired;
	memory->retired = slots;
}

/* Replace slot @id by @slot, or take it away, in one step.  No reader has the old one after. */
static void publish(struct memory *memory, uint32_t id, const struct memslot *slot)
{
	struct memslots *old = memory->slots, *new = slots_copy(old, id, slot);

	mmu_swap_begin(memory);
	srcu_assign_pointer(memory->slots, new);
	mmu_swap_end(memory);
	if (!memory->switches.no_grace_period)
		synchronize_srcu_expedited(&memory->srcu);
	slots_retire(memory, old);
}

/*
 * After the publication no section finds the slot; after its grace period none
 * that found it is left, so that what is flushed then does not come back.
 */
static void invalidate(struct memory *memory, const struct memslot *slot)
{
	struct memslot invalid = *slot;

	if (!memory->switches.one_step_delete) {
		invalid.flags |= SLOT_INVALID;
		publish(memory, slot->id, &invalid);
	}
	mmu_flush_slot(memory, slot);
}

/* What may fail.  @new is NULL in a deletion, @old in a creation. */
static int prepare(struct memory *memory, const struct memslot *old, struct memslot *new)
{
	if (memory->prepare && !memory->prepare(memory->prepare_data))
		return -ENOMEM;
	if (!new)
		return 0;
	if (new->base_gfn + new->npages - 1 > MAX_GFN)
		return -EINVAL;
	if (!(new->flags &SLOT_LOG_DIRTY))
		return 0;
	new->dirty = old && old->dirty ? old->dirty : zalloc(sizeof(*new->dirty));
	return 0;
}

/* Turn @old into @new; each may be NULL, and neither is in an array. */
static int change_slot(struct memory *memory, const struct memslot *old, struct memslot *new)
{
	bool two_steps = old && (!new || new->base_gfn != old->base_gfn);
	int error;

	if (two_steps)
		invalidate(memory, old);
	error = prepare(memory, old, new);
	if (error) {
		if (two_steps && !memory->switches.seed_failure_leaves_invalid)
			publish(memory, old->id, old);
		return error;
	}
	publish(memory, old ? old->id : new->id, new);
	if (old && (!new || new->dirty != old->dirty))
		free(old->dirty);
	return 0;
}

static bool region_valid(const struct step_memory *region)
{
	const uint64_t in_page = GUEST_PAGE_SIZE - 1;

	if (region->flags & ~SLOT_FLAGS || region->slot >= NR_SLOTS)
		return false;
	if ((region->size | region->gpa | region->hva) & in_page)
		return false;
	if (region->gpa + region->size < region->gpa || region->hva + region->size < region->hva)
		return false;
	return region->hva < HVA_KERNEL && region->size >> GUEST_PAGE_SHIFT <= MAX_SLOT_PAGES;
}

static bool overlaps(const struct memslots *slots, const struct memslot *new)
{
	for (size_t i = 0; i < slots->nr; i++) {
		const struct memslot *slot = &slots->slot[i];

		if (slot->id != new->id &&new->base_gfn < slot->base_gfn + slot->npages &&
			slot->base_gfn < new->base_gfn + new->npages)
			return true;
	}
	return false;
}

/* A slot keeps its memory and its size for life, and stays read-only or writable. */
static bool may_become(const struct memslot *old, const struct memslot *new)
{
	return new->hva == old->hva &&new->npages == old->npages &&
	       !((new->flags ^ old->flags) & SLOT_READONLY);
}

static int set_locked(struct memory *memory, const struct step_memory *region)
{
	const struct memslot *found = find_id(memory->slots, region->slot);
	struct memslot old, new = {
				    .id = region->slot,
				    .flags = region->flags,
				    .base_gfn = region->gpa >> GUEST_PAGE_SHIFT,
				    .npages = region->size >> GUEST_PAGE_SHIFT,
				    .hva = region->hva,
			    };

	if (found)
		old = *found;
	if (!new.npages)
		return found ? change_slot(memory, &old, NULL) : -EINVAL;
	if (found && !may_become(&old, &new))
		return -EINVAL;
	if (found && new.base_gfn == old.base_gfn &&new.flags == old.flags)
		return 0;
	if (overlaps(memory->slots, &new))
		return -EEXIST;
	return change_slot(memory, found ? &old : NULL, &new);
}

int memslots_set(struct memory *memory, const struct step_memory *region)
{
	int error;

	if (!region_valid(region))
		return -EINVAL;
	pthread_mutex_lock(&memory->slots_lock);
	error = set_locked(memory, region);
	pthread_mutex_unlock(&memory->slots_lock);
	return error;
}

int memslots_take_dirty(struct memory *memory, uint32_t id, uint64_t *dirty)
{
	const struct memslot *slot;
	int error = 0;

	if (id >= NR_SLOTS)
		return -EINVAL;
	pthread_mutex_lock(&memory->slots_lock);
	slot = find_id(memory->slots, id);
	if (slot && slot->dirty)
		*dirty = __atomic_exchange_n(slot->dirty, 0, __ATOMIC_RELAXED);
	else
		error = -ENOENT;
	pthread_mutex_unlock(&memory->slots_lock);
	return error;
}
