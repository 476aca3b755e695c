/* SPDX-License-Identifier: MIT */
/* Statistics of a domain, put together from what its updaters keep anyway. */
#include <errno.h>
#include <string.h>

#include "internal.h"

static enum srcu_counter_kind counter_kind(const struct srcu_struct *ssp, uintptr_t word)
{
	if (word & WORD_TWIN)
		return SRCU_COUNT_TWIN;
	return domain_flags(ssp) & DOMAIN_ATOMIC ? SRCU_COUNT_ATOMIC : SRCU_COUNT_RSEQ;
}

static uint64_t read_u64(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

int srcu_get_stats(const struct srcu_struct *ssp, struct srcu_stats *stats)
{
	uintptr_t word;

	if (!ssp || !stats || ssp->magic_ != SRCU_MAGIC_)
		return -EINVAL;
	word = __atomic_load_n(&ssp->word_, __ATOMIC_ACQUIRE);
	if (word & WORD_DEAD)
		return -EINVAL;
	memset(stats, 0, sizeof(*stats));
	stats->grace_periods = read_u64(&ssp->done_);
	stats->shared = read_u64(&ssp->shared_);
	stats->membarriers = read_u64(&ssp->membarriers_);
	stats->longest_ns = read_u64(&ssp->longest_ns_);
	/* In this order: the backlog is not negative. */
	stats->invoked = __atomic_load_n(&ssp->invoked_, __ATOMIC_ACQUIRE);
	stats->queued = srcu_callbacks_count(ssp);
	stats->wakeups = srcu_wakeups();
	srcu_tree_stats(ssp, stats);
	stats->readers = srcu_gp_readers(ssp);
	stats->cpus = __atomic_load_n(&ssp->cpus_, __ATOMIC_RELAXED);
	stats->barrier = srcu_barrier_kind(ssp);
	stats->counters = counter_kind(ssp, word);
	return 0;
}
