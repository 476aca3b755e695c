/* SPDX-License-Identifier: MIT */
/*
 * Users' per-CPU objects: allocation, the out-of-line halves of the this_cpu
 * operations, and sums.  Their memory is percpu-memory.c's.
 */
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "percpu-memory.h"

/* Aborts in a row after which an increment goes to the twin: under a debugger all abort. */
#define ATTEMPTS 8

/* The twin of an object is its copy in the slice behind the last CPU's. */
static uint64_t *twin_of(const uint64_t *p)
{
	return (uint64_t *)((uintptr_t)p + (uintptr_t)nr_possible_cpus() * SRCU_PERCPU_STRIDE);
}

/* Write zeroes where there are others, so that no page is touched in vain. */
static void zero_copies(uintptr_t addr, size_t size)
{
	for (unsigned int cpu = 0; cpu <= nr_possible_cpus(); cpu++) {
		uint64_t *word = (uint64_t *)(addr + (uintptr_t)cpu * SRCU_PERCPU_STRIDE);

		for (size_t i = 0; i < (size + 7) / 8; i++)
			if (__atomic_load_n(&word[i], __ATOMIC_RELAXED))
				__atomic_store_n(&word[i], 0, __ATOMIC_RELAXED);
	}
}

void *alloc_percpu_size(size_t size, size_t align)
{
	unsigned int units, align_units;
	uintptr_t addr;

	if (!size || size > SRCU_PERCPU_MAX || !align || align > 64 || (align & (align - 1))) {
		errno = EINVAL;
		return NULL;
	}
	srcu_setup();
	units = (unsigned int)((size + PERCPU_UNIT - 1) / PERCPU_UNIT);
	align_units = align > PERCPU_UNIT ? 2 : 1;
	addr = srcu_percpu_take(PERCPU_OBJECTS, units, align_units);
	if (addr && !srcu_percpu_open(addr, nr_possible_cpus())) {
		srcu_percpu_give(PERCPU_OBJECTS, addr);
		addr = 0;
	}
	if (!addr) {
		errno = ENOMEM;
		return NULL;
	}
	zero_copies(addr, size);
	return (void *)addr;
}

void free_percpu(void *p)
{
	if (p && !srcu_percpu_give(PERCPU_OBJECTS, (uintptr_t)p))
		srcu_warn(NULL, "free_percpu: %p was not allocated, or was freed before", p);
}

uint64_t percpu_sum(const uint64_t *p)
{
	uint64_t sum = __atomic_load_n(twin_of(p), __ATOMIC_ACQUIRE);

	for (unsigned int cpu = 0; cpu < nr_possible_cpus(); cpu++) {
		uintptr_t copy = (uintptr_t)p + (uintptr_t)cpu * SRCU_PERCPU_STRIDE;

		sum += __atomic_load_n((const uint64_t *)copy, __ATOMIC_ACQUIRE);
	}
	return sum;
}

uint64_t *srcu_this_cpu_ptr_(uint64_t *p)
{
	int saved_errno = errno, cpu = srcu_this_cpu();

	errno = saved_errno;
	if (cpu < 0 || (unsigned int)cpu >= nr_possible_cpus())
		return twin_of(p);
	return (uint64_t *)((uintptr_t)p + (uintptr_t)(unsigned int)cpu * SRCU_PERCPU_STRIDE);
}

void srcu_this_cpu_add_(uint64_t *p, uint64_t n)
{
	if (!__atomic_load_n(&srcu_percpu_mark_, __ATOMIC_RELAXED)) {
		__atomic_fetch_add(srcu_this_cpu_ptr_(p), n, __ATOMIC_RELAXED);
		return;
	}
#ifdef SRCU_RSEQ_INLINE
	for (int i = 0; i < ATTEMPTS; i++)
		if (likely(srcu_rseq_add_((uintptr_t)p, &srcu_percpu_mark_, n)))
			return;
#endif
	__atomic_fetch_add(twin_of(p), n, __ATOMIC_RELAXED);
}
