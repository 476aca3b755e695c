/* SPDX-License-Identifier: MIT */
/*
 * Sources of interrupts: the devices, each a thread, and other processes.  Each
 * has a mailbox in memory that all of them map, an eventfd, and a pace.
 *
 * Now and then a device is unplugged and another plugged in at its place: the last
 * close of its eventfd unbinds it, and a new eventfd is bound to its gsi.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "cpu.h"
#include "hub.h"
#include "reactor.h"
#include "vm.h"

/*
 * What passes between a source and the CPUs.  An event's number is the time at
 * which it was raised, made unique: later events have higher ones.
 */
struct mailbox {
	uint64_t raised;   /* the latest event; written by the source alone */
	uint64_t seen;     /* the latest that a CPU read after taking a vector */
	uint64_t injected; /* events raised by another process */
} __attribute__((aligned(64)));

/* A source's own state. */
struct pace {
	uint64_t random;
	uint64_t pause_ns; /* longest pause between bursts */
};

/*
 * All devices together keep one rate, whatever their number: the machine has
 * few real CPUs.
 */
struct pace pace_init(uint64_t seed, unsigned int source, unsigned int nr_sources);
unsigned int pace_burst(struct pace *pace);
struct timespec pace_pause(struct pace *pace);

/* Number the next event in @mailbox.  The source signals after it. */
void mailbox_raise(struct mailbox *mailbox);

/*
 * A CPU has taken a vector that may be the source's: read the mailbox.  Returns
 * the event's age in ns, or 0 when it was seen before.  Any context.
 */
uint64_t mailbox_look(struct mailbox *mailbox);

/* After quiescence: has the latest event been seen? */
bool mailbox_lost(const struct mailbox *mailbox);

struct device {
	unsigned int id; /* also its gsi */
	enum path path;
	struct vm *vm;
	struct mailbox *mailbox;
	struct pace pace;
	struct cpu *cpus; /* where its interrupts go, for PATH_SIGNAL */
	unsigned int nr_cpus;
	struct reactor *reactor; /* for PATH_EVENTFD */
	int plug;                /* also: a pipe's end, whose close tells the reactor; or -1 */
	struct hub_event *event; /* read by handlers; NULL while nothing is plugged in */
	uint32_t stopping;
	pthread_t thread;
};

/* Plug a device in, and out.  While it runs only its thread does. */
void device_plug(struct device *device);
void device_unplug(struct device *device);

void device_start(struct device *device);
void device_stop(struct device *device);

/* Its interrupt on a host CPU, for PATH_SIGNAL.  In a handler. */
void device_interrupt(struct device *device);

/* At the end of the program: 0 when no handler has a device, else negative errno. */
int devices_end(void);

#endif /* DEVICE_H */
