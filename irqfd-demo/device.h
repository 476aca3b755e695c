/* SPDX-License-Identifier: MIT */
/*
 * Sources of interrupts: the devices, each a thread, and the other process.
 * Each has a mailbox in memory that both processes map, an eventfd, and a pace.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "cpu.h"
#include "hub.h"

/*
 * What passes between a source and the CPUs.  An event's number is the time at
 * which it was raised, made unique: later events have higher ones.
 */
struct mailbox {
	uint64_t raised;   /* the latest event; written by the source alone */
	uint64_t seen;     /* the latest that a CPU read after taking a vector */
	uint64_t injected; /* events raised by the other process */
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
	struct hub_event *event;
	struct mailbox *mailbox;
	struct pace pace;
	struct cpu *cpus; /* where its interrupts go, for PATH_SIGNAL */
	unsigned int nr_cpus;
	uint32_t stopping;
	pthread_t thread;
};

void device_start(struct device *device);
void device_stop(struct device *device);

#endif /* DEVICE_H */
