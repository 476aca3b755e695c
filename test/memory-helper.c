/* SPDX-License-Identifier: MIT */
/* What its header declares, and what the memory takes from the rest of the model. */
#include "memory-helper.h"

#include <errno.h>
#include <unistd.h>

#include "irqfd-demo/vm.h"

int slot_set(struct memory *memory, uint32_t id, uint32_t flags, uint64_t gfn, uint64_t npages,
	uint64_t hva)
{
	const struct step_memory region = {.slot = id,
		.flags = flags,
		.gpa = gfn << GUEST_PAGE_SHIFT,
		.size = npages << GUEST_PAGE_SHIFT,
		.hva = hva};

	return memslots_set(memory, &region);
}

static struct hub_event *event_0;

int model_event(struct vm *vm, unsigned int number, struct hub_event **event)
{
	(void)vm;
	*event = event_0;
	if (number == EVENT_CLOSED)
		return -EBADF;
	return number == EVENT_FILE ? -EINVAL : 0;
}

bool step_run(struct memory *memory, struct hub_event *event, const struct step *step,
	char outcome[OUTCOME_SIZE])
{
	struct vm vm = {.memory = memory};

	event_0 = event;
	return model_memory_run(&vm, step, outcome);
}

void publish_tid(int *tid)
{
	__atomic_store_n(tid, (int)gettid(), __ATOMIC_RELEASE);
}
