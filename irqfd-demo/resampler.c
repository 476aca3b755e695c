/* SPDX-License-Identifier: MIT */
/*
 * Resamplers; resampler.h says what one is.  Both lists, of resamplers and of the
 * irqfds of one, are read under irq_srcu and changed under resampler_lock.
 */
#include "resampler.h"

#include "hub.h"
#include "vm.h"

#include <stdlib.h>

struct resampler {
	struct srcu_list_head link;
	struct srcu_list_head irqfds;
	unsigned int gsi;
};

/* In a section of irq_srcu, or under resampler_lock. */
static struct resampler *find(struct vm *vm, unsigned int gsi)
{
	struct resampler *resampler;

	list_for_each_entry_srcu (resampler, &vm->resamplers, link, true)
		if (resampler->gsi == gsi)
			return resampler;
	return NULL;
}

void resampler_join(struct vm *vm, unsigned int gsi, struct resample *resample)
{
	struct resampler *resampler;

	pthread_mutex_lock(&vm->resampler_lock);
	resampler = find(vm, gsi);
	if (!resampler) {
		resampler = zalloc(sizeof(*resampler));
		resampler->gsi = gsi;
		INIT_SRCU_LIST_HEAD(&resampler->irqfds);
		srcu_list_add(&resampler->link, &vm->resamplers);
	}
	srcu_list_add(&resample->link, &resampler->irqfds);
	pthread_mutex_unlock(&vm->resampler_lock);
}

void resampler_leave(struct vm *vm, unsigned int gsi, struct resample *resample)
{
	struct resampler *resampler;
	bool last;

	pthread_mutex_lock(&vm->resampler_lock);
	resampler = find(vm, gsi);
	srcu_list_del(&resample->link);
	last = resampler->irqfds.next == &resampler->irqfds;
	if (last)
		srcu_list_del(&resampler->link);
	synchronize_srcu_expedited(&vm->irq_srcu);
	if (last) {
		vm_set_irq(vm, SOURCE_RESAMPLE, gsi, false);
		free(resampler);
	}
	pthread_mutex_unlock(&vm->resampler_lock);
}

bool resampler_any(struct vm *vm)
{
	return srcu_dereference(vm->resamplers.next, &vm->irq_srcu) != &vm->resamplers;
}

void resampler_ack(struct vm *vm, unsigned int pin)
{
	struct srcu_ctr *token = srcu_read_lock_fast(&vm->irq_srcu);
	struct resampler *resampler = NULL;
	struct resample *resample;
	unsigned int gsi;

	if (routing_pin_gsi(vm, pin, &gsi))
		resampler = find(vm, gsi);
	if (resampler) {
		vm_set_irq(vm, SOURCE_RESAMPLE, gsi, false);
		list_for_each_entry_srcu (resample, &resampler->irqfds, link, true)
			hub_signal(resample->event, 1);
	}
	srcu_read_unlock_fast(&vm->irq_srcu, token);
}
