/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo seed 002: memory slots move from locks to SRCU.
 *
 * Readers of the slots no longer keep updaters out.  So an updater publishes a
 * copy and waits for those who still have the old one; a slot goes in two steps;
 * and faults, which look up without a lock, find out whether what they found has
 * changed.
 */
#include "seed.h"

#include "demo.h"
#include "memslots.h"

#include <inttypes.h>
#include <semaphore.h>
#include <stdio.h>

#define SLOT 1
#define GFN  0x10
#define HVA  0x3000

static struct memory *begin(void)
{
	const struct step_memory region = {.slot = SLOT,
		.gpa = (uint64_t)GFN << GUEST_PAGE_SHIFT,
		.size = GUEST_PAGE_SIZE,
		.hva = HVA};
	struct memory *memory = memory_create();

	if (memslots_set(memory, &region))
		die(0, "cannot create a slot");
	return memory;
}

static void end(struct memory *memory)
{
	int error = memory_destroy(memory);

	if (error)
		die(-error, "cannot end a machine's memory");
}

static int delete_slot(struct memory *memory)
{
	return memslots_set(memory, &(struct step_memory){.slot = SLOT});
}

/* A reader and a deleter of the same slot. */
struct meeting {
	struct memory *memory;
	sem_t found, go;
	uint64_t hva; /* as the reader reads it in the end */
};

static void read_slot(void *data)
{
	struct meeting *meeting = data;
	const struct memslot *slot;

	srcu_guard(&meeting->memory->srcu);
	slot = memslots_find(meeting->memory, GFN);
	sem_post(&meeting->found);
	sem_wait(&meeting->go);
	meeting->hva = slot->hva;
}

static void delete_it(void *data)
{
	struct meeting *meeting = data;

	if (delete_slot(meeting->memory))
		die(0, "cannot delete a slot");
}

static bool deleted_in_use(bool without, char saw[SEED_SAW_SIZE])
{
	struct meeting meeting = {.memory = begin()};
	struct seed_thread reader = {.body = read_slot, .data = &meeting};
	struct seed_thread deleter = {.body = delete_it, .data = &meeting};
	bool deleted;

	meeting.memory->switches.no_grace_period = without;
	sem_init(&meeting.found, 0, 0);
	sem_init(&meeting.go, 0, 0);
	seed_thread_start(&reader);
	sem_wait(&meeting.found);
	seed_thread_start(&deleter);
	deleted = seed_thread_await(&deleter, !without);
	sem_post(&meeting.go);
	seed_thread_join(&reader);
	seed_thread_join(&deleter);
	sem_destroy(&meeting.go);
	sem_destroy(&meeting.found);
	end(meeting.memory);

	snprintf(saw, SEED_SAW_SIZE, "the deletion %s, and the reader finds hva 0x%" PRIx64,
		deleted ? "returns" : "waits", meeting.hva);
	return !deleted && meeting.hva == HVA;
}

/* Once: the page changes its frame. */
static void change_frame(void *data)
{
	bool *changed = data;

	if (*changed)
		return;
	*changed = true;
	host_remap(HVA >> GUEST_PAGE_SHIFT);
}

static bool fault_meets_change(bool without, char saw[SEED_SAW_SIZE])
{
	struct memory *memory = begin();
	bool changed = false;
	uint64_t frame, mapped;

	memory->switches.no_sequence_check = without;
	memory->mmu.window = change_frame;
	memory->mmu.window_data = &changed;
	if (mmu_fault(memory, GFN, &frame))
		die(0, "cannot map a page");
	mapped = mmu_mapped(memory, GFN);
	end(memory);

	frame = host_frame(HVA);
	snprintf(saw, SEED_SAW_SIZE,
		"the guest's page is on frame %" PRIu64 ", the host's on %" PRIu64, mapped, frame);
	return mapped == frame;
}

/* A CPU's access between the two steps. */
static bool fault_again(void *data)
{
	struct memory *memory = data;
	uint64_t frame;

	(void)mmu_fault(memory, GFN, &frame);
	return true;
}

static bool fault_meets_deletion(bool without, char saw[SEED_SAW_SIZE])
{
	struct memory *memory = begin();
	uint64_t frame;

	if (mmu_fault(memory, GFN, &frame))
		die(0, "cannot map a page");
	memory->switches.one_step_delete = without;
	memory->prepare = fault_again;
	memory->prepare_data = memory;
	if (delete_slot(memory))
		die(0, "cannot delete a slot");
	frame = mmu_mapped(memory, GFN);
	end(memory);

	if (frame)
		snprintf(saw, SEED_SAW_SIZE, "the guest still has frame %" PRIu64, frame);
	else
		snprintf(saw, SEED_SAW_SIZE, "the guest has nothing there");
	return !frame;
}

static bool fail(void *data)
{
	(void)data;
	return false;
}

static bool deletion_fails(bool without, char saw[SEED_SAW_SIZE])
{
	struct memory *memory = begin();
	struct srcu_ctr *token;
	bool found;

	memory->switches.seed_failure_leaves_invalid = without;
	memory->prepare = fail;
	if (!delete_slot(memory))
		die(0, "a deletion that must fail does not");
	token = srcu_read_lock_fast(&memory->srcu);
	found = memslots_find(memory, GFN) != NULL;
	srcu_read_unlock_fast(&memory->srcu, token);
	end(memory);

	snprintf(saw, SEED_SAW_SIZE, "the slot is %s", found ? "there again" : "lost to the guest");
	return found;
}

int seed_002(void)
{
	static const struct seed_part parts[] = {
		{"A slot is deleted while a reader has it.", "the grace period", deleted_in_use},
		{"A page changes its frame between a fault's look and its lock.",
			"the sequence check", fault_meets_change},
		{"A CPU faults while a slot is being deleted.", "the step through INVALID",
			fault_meets_deletion},
		{"A deletion fails after its first step.", "publishing the slot once more",
			deletion_fails},
	};

	printf("Seed 002: memory slots are read under SRCU, and deleted in two steps.\n");
	return seed_show(parts, ARRAY_SIZE(parts));
}
