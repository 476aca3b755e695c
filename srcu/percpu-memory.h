/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU memory for the library: units of 32 bytes per CPU out of one window
 * of address space.  Everything here is lock-free, uses mmap and mprotect only
 * and keeps errno, so that a domain may be initialised in a signal handler.
 */
#ifndef SRCU_PERCPU_MEMORY_H
#define SRCU_PERCPU_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERCPU_UNIT 32

/*
 * What a chunk holds.  Domains' slots keep their counts when they are freed,
 * and slices are opened as CPUs turn up; so with lists of callbacks, always of two
 * units, which are zero when they are freed.  Users' objects are zeroed when they
 * are allocated, have all slices open, and a twin behind the last one.
 */
enum percpu_kind { PERCPU_SLOTS = 1, PERCPU_LISTS, PERCPU_OBJECTS };

/* @units consecutive units aligned to @align units; the address in CPU 0's slice, or 0. */
uintptr_t srcu_percpu_take(enum percpu_kind kind, unsigned int units, unsigned int align);

/* Give back what srcu_percpu_take() returned; false when it did not return @addr. */
bool srcu_percpu_give(enum percpu_kind kind, uintptr_t addr);

/* Make the memory of @addr usable on @cpu; false when the kernel refuses. */
bool srcu_percpu_open(uintptr_t addr, unsigned int cpu);

/* CPUs whose memory at @addr was opened: no count was ever made above them. */
unsigned int srcu_percpu_opened(uintptr_t addr);

/*
 * Of a unit in use, whatever its user likes; NULL at first, and to be NULL again
 * when it is given back.
 */
void srcu_percpu_set_owner(uintptr_t addr, void *owner);
void *srcu_percpu_owner(enum percpu_kind kind, uintptr_t addr);

/* Call @visit for all units of the kind that have an owner. */
void srcu_percpu_for_each(enum percpu_kind kind, void (*visit)(void *owner, uintptr_t addr));

/* An int token's address: @index units of 16 bytes into the window. */
uintptr_t srcu_percpu_at(unsigned int index);

#endif /* SRCU_PERCPU_MEMORY_H */
