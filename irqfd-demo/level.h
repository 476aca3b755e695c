/* SPDX-License-Identifier: MIT */
/*
 * Level-triggered devices.  One that has something to say raises its line and
 * keeps it up until a CPU has served it, of which its second eventfd tells; what
 * came too late for that service it says by raising the line once more.
 */
#ifndef LEVEL_H
#define LEVEL_H

#include "device.h"
#include "vm.h"

struct level {
	unsigned int gsi;
	struct vm *vm;
	struct mailbox *mailbox;
	struct pace pace;
	struct hub_event *event;  /* raises the line */
	struct hub_event *served; /* the end of a service */
	uint32_t stopping;
	pthread_t thread;

	/* The thread's; after its end the owner's. */
	bool raised;
};

/* Make its eventfds and bind them; then begin. */
void level_plug(struct level *level);
void level_start(struct level *level);

/* End its thread. */
void level_stop(struct level *level);

/* Once what the thread signalled has been served: raise the line for what it missed. */
void level_finish(struct level *level);

/* Unbind it. */
void level_unplug(struct level *level);

#endif /* LEVEL_H */
