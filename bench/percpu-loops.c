/* SPDX-License-Identifier: MIT */
/*
 * The loops of percpu/scan and percpu/inc: what a grace period's scan costs per
 * CPU at a distance between the CPUs' counters, and what one increment costs.
 */
#include <errno.h>
#include <sys/mman.h>

#include "bench/shim.h"

struct pair {
	uint64_t locks;
	uint64_t unlocks;
};

static const struct pair *pair_at(const void *memory, size_t stride, size_t cpu)
{
	return (const struct pair *)((const char *)memory + cpu * stride);
}

static size_t scan_bytes(size_t stride, size_t cpus)
{
	return (cpus - 1) * stride + sizeof(struct pair);
}

void *scan_alloc(size_t stride, size_t cpus)
{
	char *memory = mmap(NULL, scan_bytes(stride, cpus), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	/* Small pages, as the library has; a kernel without huge ones refuses the advice. */
	madvise(memory, scan_bytes(stride, cpus), MADV_NOHUGEPAGE);
	/* Written once: pages that were never written are all one page of zeroes. */
	for (size_t cpu = 0; cpu < cpus; cpu++)
		((struct pair *)(void *)(memory + cpu * stride))->locks = cpu;
	return memory;
}

void scan_free(void *memory, size_t stride, size_t cpus)
{
	munmap(memory, scan_bytes(stride, cpus));
}

/* In two passes, unlocks before locks, as a grace period scans. */
uint64_t scan_sum(const void *memory, size_t stride, size_t cpus)
{
	uint64_t unlocks = 0, locks = 0;

	for (size_t cpu = 0; cpu < cpus; cpu++)
		unlocks +=
			__atomic_load_n(&pair_at(memory, stride, cpu)->unlocks, __ATOMIC_ACQUIRE);
	for (size_t cpu = 0; cpu < cpus; cpu++)
		locks += __atomic_load_n(&pair_at(memory, stride, cpu)->locks, __ATOMIC_RELAXED);
	return locks - unlocks;
}

static uint64_t *percpu_counter;
static uint64_t counter;
static __thread uint64_t thread_counter;

int inc_prepare(void)
{
	if (!percpu_counter)
		percpu_counter = alloc_percpu(uint64_t);
	return percpu_counter ? 0 : errno;
}

void inc_this_cpu(long n)
{
	uint64_t *p = percpu_counter;

	for (; n > 0; n--)
		this_cpu_inc(*p);
}

void inc_plain_this_cpu(long n)
{
	uint64_t *p = percpu_counter;

	for (; n > 0; n--)
		__this_cpu_inc(*p);
}

void inc_atomic(long n)
{
	for (; n > 0; n--)
		__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
}

/* Load and store are atomic each, so that the loop is not folded into one addition. */
static inline void add_one(uint64_t *p)
{
	__atomic_store_n(p, __atomic_load_n(p, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

void inc_plain(long n)
{
	for (; n > 0; n--)
		add_one(&counter);
}

void inc_thread_local(long n)
{
	for (; n > 0; n--)
		add_one(&thread_counter);
}
