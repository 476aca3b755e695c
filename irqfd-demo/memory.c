/* SPDX-License-Identifier: MIT */
/* A machine's memory as a whole: its beginning and its end; memslots.h has the contract. */
#include "memslots.h"

#include "demo.h"
#include "ioeventfd.h"

#include <stdlib.h>

struct memory *memory_create(void)
{
	struct memory *memory = zalloc(sizeof(*memory));
	int error = init_srcu_struct_with(&memory->srcu, &(struct srcu_options){.name = "memory"});

	if (error)
		die(-error, "cannot initialise the domain");
	memory->slots = zalloc(sizeof(*memory->slots));
	pthread_mutex_init(&memory->slots_lock, NULL);
	ioeventfd_init(memory);
	mmu_init(memory);
	return memory;
}

static void slots_free(struct memory *memory)
{
	struct memslots *slots;

	for (size_t i = 0; i < memory->slots->nr; i++)
		free(memory->slots->slot[i].dirty);
	free(memory->slots);
	while ((slots = memory->retired)) {
		memory->retired = slots->retired;
		free(slots);
	}
}

int memory_destroy(struct memory *memory)
{
	int error = srcu_barrier(&memory->srcu);

	if (!error)
		error = cleanup_srcu_struct(&memory->srcu);
	if (error)
		return error;
	mmu_end(memory);
	ioeventfd_end(memory);
	slots_free(memory);
	pthread_mutex_destroy(&memory->slots_lock);
	free(memory);
	return 0;
}
