/* SPDX-License-Identifier: MIT */
/*
 * The report of a grace period that is held up: for how long, by which rank, and
 * where that has locks and unlocks that do not match.  Called by whoever leads it,
 * under its lock.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "debug.h"

#define COUNTS_TEXT 320
#define COUNTS_CPUS 4
#define NS_PER_MS   1000000u

__attribute__((format(printf, 2, 3))) static void append(
	char text[COUNTS_TEXT], const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, COUNTS_TEXT - length, format, args);
	va_end(args);
}

/*
 * Say what counts are there unless they are equal.  Where a section ended on another
 * CPU than it began on, they differ on both: only the sum is the number of readers.
 */
static void append_ctr(
	char text[COUNTS_TEXT], const struct srcu_ctr *ctr, const char *where, unsigned int *told)
{
	uint64_t unlocks = __atomic_load_n(&ctr->srcu_unlocks, __ATOMIC_ACQUIRE);
	uint64_t locks = __atomic_load_n(&ctr->srcu_locks, __ATOMIC_RELAXED);

	if (locks == unlocks)
		return;
	if (++*told <= COUNTS_CPUS)
		append(text, ", %s %llu/%llu", where, (unsigned long long)locks,
			(unsigned long long)unlocks);
	else if (*told == COUNTS_CPUS + 1)
		append(text, ", ...");
}

static void append_rank(char text[COUNTS_TEXT], const struct srcu_struct *ssp, unsigned int rank)
{
	uintptr_t ctr = srcu_gp_rank_ctr(ssp, rank);
	unsigned int cpus = ctr ? __atomic_load_n(&ssp->cpus_, __ATOMIC_ACQUIRE) : 0, told = 0;
	char where[16];

	append(text, "; rank %u: %lld open, locks/unlocks", rank,
		(long long)srcu_gp_readers_of(ssp, rank));
	append_ctr(text, &ssp->twin_[rank], "twin", &told);
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		snprintf(where, sizeof(where), "CPU %u", cpu);
		append_ctr(text, ctr_on(ctr, cpu), where, &told);
	}
}

void srcu_stall_report(const struct srcu_struct *ssp, uint64_t waited_ns)
{
	uint64_t ms = waited_ns / NS_PER_MS, limit_ms = srcu_stall_ns(ssp) / NS_PER_MS;
	char counts[COUNTS_TEXT] = "", readers[READERS_TEXT];

	for (unsigned int rank = 0; rank < 2; rank++)
		if (ssp->gp_pending_ & 1u << rank)
			append_rank(counts, ssp, rank);
	srcu_warn(ssp, "grace period %llu has waited %llu.%03u s, limit %llu.%03u s%s; %s",
		(unsigned long long)ssp->started_, (unsigned long long)(ms / 1000),
		(unsigned int)(ms % 1000), (unsigned long long)(limit_ms / 1000),
		(unsigned int)(limit_ms % 1000), counts, srcu_describe_readers(ssp, readers));
}
