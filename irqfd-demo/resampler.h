/* SPDX-License-Identifier: MIT */
/*
 * A resampler: the irqfds of one gsi whose line stays up until the guest has
 * served it.  Its end of service lowers the line, once for all of them, and
 * signals the eventfd of each, so that a device with more to say signals again.
 */
#ifndef RESAMPLER_H
#define RESAMPLER_H

#include <srcu/list.h>

#include <stdbool.h>

struct hub_event;
struct vm;

/* An irqfd's place among those of its gsi. */
struct resample {
	struct srcu_list_head link;
	struct hub_event *event; /* signalled at the end of service; referenced */
};

/* Join the resampler of @gsi, the first one making it. */
void resampler_join(struct vm *vm, unsigned int gsi, struct resample *resample);

/*
 * Leave it, the last one lowering the line.  On return no signal is under way and
 * none will come.  Blocks.
 */
void resampler_leave(struct vm *vm, unsigned int gsi, struct resample *resample);

/* Is there one?  Any context. */
bool resampler_any(struct vm *vm);

/* The interrupt of the IOAPIC's @pin has been served.  Any context. */
void resampler_ack(struct vm *vm, unsigned int pin);

#endif /* RESAMPLER_H */
