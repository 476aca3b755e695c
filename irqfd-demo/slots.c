/* SPDX-License-Identifier: MIT */
/*
 * Changing memory; slots.h says what changes and who checks.
 *
 * Letters name the two sides of each ordering.
 */
#include "slots.h"

#include "counters.h"

#define SLOT_PAGES 4
#define STATES     4 /* absent, and then at three places */

static bool is_present(uint64_t number)
{
	return number % STATES != 0;
}

static uint64_t gfn_of(unsigned int id, uint64_t number)
{
	return (number * NR_SLOT_IDS + id) * SLOT_PAGES;
}

/* The first page of its memory, which it keeps until it is deleted. */
static unsigned int page_of(unsigned int id, uint64_t number)
{
	return (unsigned int)((number / STATES * 5 + id * 3) % (ARENA_PAGES - SLOT_PAGES + 1));
}

static void change_slot(struct slots *slots, unsigned int id)
{
	uint64_t number = slots->complete[id] + 1;
	struct step_memory region = {.slot = id,
		.gpa = gfn_of(id, number) << GUEST_PAGE_SHIFT,
		.size = is_present(number) ? (uint64_t)SLOT_PAGES << GUEST_PAGE_SHIFT : 0,
		.hva = (uint64_t)page_of(id, number) << GUEST_PAGE_SHIFT};
	int error = memslots_set(slots->memory, &region);

	if (error)
		die(-error, "cannot change slot %u", id);
	/* K: whoever reads the number (L) is to find nothing of the state before. */
	__atomic_store_n(&slots->complete[id], number, __ATOMIC_RELEASE);
	count(slot_changes);
}

static void change_page(struct slots *slots, unsigned int page)
{
	host_remap(page);
	/* M: as K, for translations to the frame before; pairs with N. */
	__atomic_store_n(&slots->frame[page], host_frame((uint64_t)page << GUEST_PAGE_SHIFT),
		__ATOMIC_RELEASE);
	count(remaps);
}

static void *slots_main(void *argument)
{
	struct slots *slots = argument;

	while (!__atomic_load_n(&slots->stopping, __ATOMIC_ACQUIRE)) {
		struct timespec pause = pace_pause(&slots->pace);

		for (unsigned int n = pace_burst(&slots->pace); n; n--) {
			change_slot(slots,
				(unsigned int)random_below(&slots->pace.random, NR_SLOT_IDS));
			change_page(slots,
				(unsigned int)random_below(&slots->pace.random, ARENA_PAGES));
		}
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	return NULL;
}

void slots_start(struct slots *slots, struct pace pace)
{
	slots->pace = pace;
	slots->thread = thread_spawn(slots_main, slots, "slots");
}

void slots_stop(struct slots *slots)
{
	__atomic_store_n(&slots->stopping, 1, __ATOMIC_RELEASE);
	pthread_join(slots->thread, NULL);
}

static uint64_t read_complete(const struct slots *slots, unsigned int id)
{
	return __atomic_load_n(&slots->complete[id], __ATOMIC_ACQUIRE); /* L: see K */
}

/* Is it what change @number made of slot @id, and not poison? */
static bool is_state(const struct memslot *slot, unsigned int id, uint64_t number)
{
	return slot->id == id && slot->base_gfn == gfn_of(id, number) &&
	       slot->npages == SLOT_PAGES &&
	       slot->hva == (uint64_t)page_of(id, number) << GUEST_PAGE_SHIFT;
}

/* A change that returns while a section has the slot that it replaced is one too early. */
static void look_up(struct slots *slots, unsigned int id, uint64_t number, unsigned int page)
{
	struct srcu_ctr *token = srcu_read_lock_fast(&slots->memory->srcu);
	uint64_t gfn = gfn_of(id, number) + page, value;
	const struct memslot *slot = memslots_find(slots->memory, gfn);

	if (slot) {
		(void)host_load(memslot_hva(slot, gfn), &value, sizeof(value));
		if (!is_state(slot, id, number) || read_complete(slots, id) != number)
			count(stale_slots);
	}
	srcu_read_unlock_fast(&slots->memory->srcu, token);
}

/* Nothing may be mapped where no slot is, nor to a frame that its page has left. */
static void translate(struct slots *slots, unsigned int id, uint64_t number, unsigned int page)
{
	unsigned int host_page = page_of(id, number) + page;
	uint64_t complete = read_complete(slots, id);
	uint64_t least = __atomic_load_n(&slots->frame[host_page], __ATOMIC_ACQUIRE); /* N: see M */
	uint64_t frame = mmu_mapped(slots->memory, gfn_of(id, number) + page);

	if (!frame)
		return;
	if (!is_present(number) || number < complete || frame < least ||
		(frame - 1) % ARENA_PAGES != host_page)
		count(stale_translations);
}

void slots_access(struct slots *slots, unsigned int cpu)
{
	uint64_t turn = slots->turn[cpu]++, frame;
	unsigned int page = (unsigned int)(turn % SLOT_PAGES);

	for (unsigned int id = 0; id < NR_SLOT_IDS; id++) {
		uint64_t number = read_complete(slots, id);

		if (is_present(number)) {
			look_up(slots, id, number, page);
			if (!mmu_fault(slots->memory, gfn_of(id, number) + page, &frame))
				count(faults);
			translate(slots, id, number, page);
		}
		if (number)
			translate(slots, id, number - 1, page);
	}
}
