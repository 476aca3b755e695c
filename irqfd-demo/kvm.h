/* SPDX-License-Identifier: MIT */
/*
 * The backend on /dev/kvm, inside: what its parts share.  No guest ever runs.
 */
#ifndef KVM_H
#define KVM_H

#include "step.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#define PAGE_BYTES 4096u

/* A machine, for as long as it has handles. */
struct kvm_machine {
	unsigned int handles, nr_cpus;
	int first_fd; /* the number of its first descriptor, taken for as long as it lives */
	int cpu[MAX_VCPUS];
};

struct kvm_handle {
	int fd;                      /* or -1: only the CPUs are open */
	struct kvm_machine *machine; /* NULL: the name is free */
};

struct world {
	struct kvm_handle machine[MAX_MACHINES];
	int event[MAX_EVENTS];
	int file;       /* open, but no eventfd */
	char *arena;    /* behind it is as much again that is not mapped */
	bool unsettled; /* a worker may be about to do something */
};

/* The descriptor that a step's event stands for. */
int kvm_event_fd(const struct world *world, unsigned int event);

/* "0", or the errno of an ioctl that returned @result. */
void kvm_outcome(char outcome[OUTCOME_SIZE], int result);

/* Put the APIC of @cpu on or off by software.  Returns what ioctl() does. */
int kvm_apic_enable(int cpu, bool enabled);

/* Carry out @step if it is of the kind.  Returns false if not. */
bool kvm_interrupt_run(struct world *world, const struct step *step, char outcome[OUTCOME_SIZE]);
bool kvm_memory_run(struct world *world, const struct step *step, char outcome[OUTCOME_SIZE]);

/* Behind the arena, so that no slot of a script reaches anything else. */
#define ARENA_RESERVE (96 * PAGE_BYTES)

char *kvm_arena_map(void);
void kvm_arena_unmap(char *arena);

/* The descriptors of the process's use of KVM, open from the first world on. */
struct kvm_host {
	int kvm;
	unsigned int features;
	int sentinel, sentinel_event; /* a machine whose irqfd shows how far workers are */
	int cpu;                      /* where all that may start a worker is done */
};

/* NULL with *why set when KVM cannot be used. */
const struct kvm_host *kvm_host_open(const char **why);

/* Returns when the workers that this thread started on this CPU are through. */
void kvm_host_settle(const struct kvm_host *host);

#endif /* KVM_H */
