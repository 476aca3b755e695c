/* SPDX-License-Identifier: MIT */
/*
 * Event counts and latency histograms; counters.h says for whom.
 */
#include "counters.h"

#include <errno.h>

#define UNIT_SHIFT 4 /* the finest bucket is 16 ns wide */
#define SUB_SHIFT  4 /* 16 buckets for each doubling */
#define SUB_COUNT  (1u << SUB_SHIFT)

_Static_assert(sizeof(struct hist) <= SRCU_PERCPU_MAX, "a histogram is one per-CPU object");
_Static_assert(HIST_DOUBLINGS *SUB_COUNT == HIST_BUCKETS, "a doubling has SUB_COUNT buckets");
_Static_assert(HIST_FIRST_NS == SUB_COUNT << UNIT_SHIFT, "the first SUB_COUNT buckets end there");
_Static_assert(sizeof(struct counters) <= SRCU_PERCPU_MAX, "the counts are one per-CPU object");

struct counters *counters;
static struct hist *latencies[NR_PATHS];

void counters_init(void)
{
	counters = alloc_percpu(struct counters);
	if (!counters)
		die(errno, "no per-CPU memory");
	for (enum path path = 0; path < NR_PATHS; path++) {
		latencies[path] = alloc_percpu(struct hist);
		if (!latencies[path])
			die(errno, "no per-CPU memory");
	}
}

void counters_free(void)
{
	for (enum path path = 0; path < NR_PATHS; path++)
		free_percpu(latencies[path]);
	free_percpu(counters);
}

static unsigned int bucket_of(uint64_t ns)
{
	uint64_t units = ns >> UNIT_SHIFT;
	unsigned int doubling, bucket;

	if (units < SUB_COUNT)
		return (unsigned int)units;
	doubling = 63u - (unsigned int)__builtin_clzll(units) - SUB_SHIFT;
	bucket = (doubling + 1) * SUB_COUNT + (unsigned int)(units >> doubling) - SUB_COUNT;
	return bucket < HIST_BUCKETS ? bucket : HIST_BUCKETS - 1;
}

uint64_t hist_bucket_ns(unsigned int bucket)
{
	unsigned int doubling = bucket / SUB_COUNT;
	uint64_t width = 1u << UNIT_SHIFT, low = bucket;

	if (doubling > 0) {
		low = (uint64_t)(SUB_COUNT + bucket % SUB_COUNT) << (doubling - 1);
		width <<= doubling - 1;
	}
	return (low << UNIT_SHIFT) + width / 2;
}

void latency_record(enum path path, uint64_t ns)
{
	this_cpu_inc(latencies[path]->bucket[bucket_of(ns)]);
}

void latency_read(enum path path, struct hist *to)
{
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		to->bucket[i] = percpu_sum(&latencies[path]->bucket[i]);
}

uint64_t hist_total(const struct hist *hist)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		total += hist->bucket[i];
	return total;
}

void hist_by_doubling(const struct hist *hist, uint64_t to[HIST_DOUBLINGS])
{
	for (unsigned int i = 0; i < HIST_DOUBLINGS; i++) {
		to[i] = 0;
		for (unsigned int j = 0; j < SUB_COUNT; j++)
			to[i] += hist->bucket[i * SUB_COUNT + j];
	}
}

uint64_t hist_quantile(const struct hist *hist, double q)
{
	uint64_t below = 0, rank = (uint64_t)(q * (double)hist_total(hist));

	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		below += hist->bucket[i];
		if (below > rank)
			return hist_bucket_ns(i);
	}
	return 0;
}
