/* SPDX-License-Identifier: MIT */
/*
 * Memory slots and ioeventfds on /dev/kvm, and the arena that backs slots.
 */
#include "demo.h"
#include "kvm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ARENA_BYTES    (ARENA_PAGES * PAGE_BYTES)
#define KERNEL_ADDRESS 0xffff888000000000u

/* Of a page that nobody has written: no last byte of the time, which may well be 0. */
#define CLEAN 0xff

/* Where KVM writes 12 bytes when it is told, without a guest: the time of boot. */
#define MSR_WALL_CLOCK 0x4b564d00u

char *kvm_arena_map(void)
{
	char *arena = mmap(NULL, ARENA_BYTES + ARENA_RESERVE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (arena == MAP_FAILED || mprotect(arena, ARENA_BYTES, PROT_READ | PROT_WRITE) < 0)
		die(errno, "no memory for the arena");
	memset(arena, CLEAN, ARENA_BYTES);
	return arena;
}

void kvm_arena_unmap(char *arena)
{
	munmap(arena, ARENA_BYTES + ARENA_RESERVE);
}

static int set_slot(const struct world *world, int fd, const struct step *step)
{
	const struct step_memory *memory = &step->memory;
	struct kvm_userspace_memory_region region = {.slot = memory->slot,
		.flags = memory->flags,
		.guest_phys_addr = memory->gpa,
		.memory_size = memory->size,
		.userspace_addr = (uint64_t)(uintptr_t)world->arena + memory->hva};

	if (memory->hva == HVA_UNMAPPED)
		region.userspace_addr = (uint64_t)(uintptr_t)world->arena + ARENA_BYTES;
	else if (memory->hva == HVA_KERNEL)
		region.userspace_addr = KERNEL_ADDRESS;
	return ioctl(fd, KVM_SET_USER_MEMORY_REGION, step->null ? NULL : &region);
}

static int guest_write(int cpu, const struct step *step, char outcome[OUTCOME_SIZE])
{
	struct kvm_msrs *msrs = zalloc(sizeof(*msrs) + sizeof(msrs->entries[0]));
	int result, error;

	msrs->nmsrs = 1;
	msrs->entries[0] = (struct kvm_msr_entry){.index = MSR_WALL_CLOCK, .data = step->gpa};
	result = ioctl(cpu, KVM_SET_MSRS, msrs);
	error = errno;
	free(msrs);
	errno = error;
	if (result == 0)
		snprintf(outcome, OUTCOME_SIZE, "refused");
	return result;
}

static void unmap(char *page)
{
	if (munmap(page, PAGE_BYTES) < 0 ||
		mmap(page, PAGE_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die(errno, "cannot map a page afresh");
	memset(page, CLEAN, PAGE_BYTES);
}

static void show_page(char *page, char outcome[OUTCOME_SIZE])
{
	char clean[PAGE_BYTES];

	memset(clean, CLEAN, sizeof(clean));
	snprintf(outcome, OUTCOME_SIZE, "%s",
		memcmp(page, clean, sizeof(clean)) == 0 ? "clean" : "written");
	memset(page, CLEAN, PAGE_BYTES);
}

_Static_assert(STEP_SLOT_PAGES <= 64, "KVM writes no more of the bitmap than there is");

static int show_dirty(int fd, const struct step *step, char outcome[OUTCOME_SIZE])
{
	uint64_t bitmap = 0;
	struct kvm_dirty_log log = {.slot = step->memory.slot, .dirty_bitmap = &bitmap};
	int result = ioctl(fd, KVM_GET_DIRTY_LOG, &log);

	snprintf(outcome, OUTCOME_SIZE, "0x%llx", (unsigned long long)bitmap);
	return result;
}

static int ioevent(const struct world *world, int fd, const struct step *step)
{
	const struct step_ioevent *ioevent = &step->ioevent;
	struct kvm_ioeventfd argument = {.datamatch = ioevent->datamatch,
		.addr = ioevent->addr,
		.len = ioevent->length,
		.fd = kvm_event_fd(world, step->event),
		.flags = step->flags};

	if (!ioevent->wildcard)
		argument.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
	if (ioevent->pio)
		argument.flags |= KVM_IOEVENTFD_FLAG_PIO;
	if (step->op == OP_IOEVENT_OFF)
		argument.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	return ioctl(fd, KVM_IOEVENTFD, step->null ? NULL : &argument);
}

bool kvm_memory_run(struct world *world, const struct step *step, char outcome[OUTCOME_SIZE])
{
	const struct kvm_handle *handle = &world->machine[step->machine];
	int result = 0;

	switch (step->op) {
	case OP_SLOT:
		result = set_slot(world, handle->fd, step);
		break;
	case OP_GUEST_WRITE:
		result = guest_write(handle->machine->cpu[0], step, outcome);
		break;
	case OP_UNMAP:
		unmap(world->arena + step->page * PAGE_BYTES);
		break;
	case OP_SHOW_PAGE:
		show_page(world->arena + step->page * PAGE_BYTES, outcome);
		break;
	case OP_SHOW_DIRTY:
		result = show_dirty(handle->fd, step, outcome);
		break;
	case OP_IOEVENT:
	case OP_IOEVENT_OFF:
		result = ioevent(world, handle->fd, step);
		break;
	default:
		return false;
	}
	/* What the step printed stands, unless it failed. */
	if (result < 0)
		kvm_outcome(outcome, result);
	return true;
}
