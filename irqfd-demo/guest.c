/* SPDX-License-Identifier: MIT */
/*
 * The guest's memory, read and written through the slots as KVM itself does it.
 * Owns nothing.
 */
#include "memslots.h"

#include <errno.h>

/* The guest pages of one access, one after the other. */
static size_t in_page(uint64_t gpa, size_t n)
{
	size_t room = GUEST_PAGE_SIZE - (size_t)(gpa & (GUEST_PAGE_SIZE - 1));

	return n < room ? n : room;
}

static uint64_t slot_hva(const struct memslot *slot, uint64_t gpa)
{
	return memslot_hva(slot, gpa >> GUEST_PAGE_SHIFT) + (gpa & (GUEST_PAGE_SIZE - 1));
}

static bool read_page(struct memory *memory, uint64_t gpa, void *to, size_t n)
{
	const struct memslot *slot = memslots_find(memory, gpa >> GUEST_PAGE_SHIFT);

	return slot && host_load(slot_hva(slot, gpa), to, n);
}

static bool write_page(struct memory *memory, uint64_t gpa, const void *from, size_t n)
{
	uint64_t gfn = gpa >> GUEST_PAGE_SHIFT;
	const struct memslot *slot = memslots_find(memory, gfn);

	if (!slot || slot->flags & SLOT_READONLY || !host_store(slot_hva(slot, gpa), from, n))
		return false;
	if (slot->dirty)
		__atomic_fetch_or(
			slot->dirty, (uint64_t)1 << (gfn - slot->base_gfn), __ATOMIC_RELAXED);
	return true;
}

int guest_read(struct memory *memory, uint64_t gpa, void *to, size_t n)
{
	char *at = to;

	srcu_guard(&memory->srcu);
	while (n) {
		size_t part = in_page(gpa, n);

		if (!read_page(memory, gpa, at, part))
			return -EFAULT;
		gpa += part;
		at += part;
		n -= part;
	}
	return 0;
}

int guest_write(struct memory *memory, uint64_t gpa, const void *from, size_t n)
{
	const char *at = from;

	srcu_guard(&memory->srcu);
	while (n) {
		size_t part = in_page(gpa, n);

		if (!write_page(memory, gpa, at, part))
			return -EFAULT;
		gpa += part;
		at += part;
		n -= part;
	}
	return 0;
}

void guest_write_clock(struct memory *memory, uint64_t gpa)
{
	struct {
		uint32_t version, seconds, nanoseconds;
	} clock = {0};

	if (!gpa || guest_read(memory, gpa, &clock.version, sizeof(clock.version)))
		return;
	clock.version = (clock.version + 1) | 1;
	if (guest_write(memory, gpa, &clock.version, sizeof(clock.version)))
		return;
	(void)guest_write(memory, gpa, &clock, sizeof(clock));
	clock.version++;
	(void)guest_write(memory, gpa, &clock.version, sizeof(clock.version));
}
