/* SPDX-License-Identifier: MIT */
/*
 * The domains in debug mode, and what is known of them.  They are put on the list
 * wherever a domain may be initialised, in signal handlers too, hence without a
 * lock; the lock keeps one that is printed from being cleaned up meanwhile.
 */
#include <stdio.h>

#include "debug.h"

#define DOMAINS SRCU_DEBUG_DOMAINS

static struct srcu_struct *domains[DOMAINS];
static uint32_t lock;

/* Beyond DOMAINS they are not listed. */
void srcu_dump_add(struct srcu_struct *ssp)
{
	for (unsigned int i = 0; i < DOMAINS; i++) {
		struct srcu_struct *found = NULL;

		if (__atomic_compare_exchange_n(
			    &domains[i], &found, ssp, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) ||
			found == ssp)
			return;
	}
}

void srcu_dump_remove(const struct srcu_struct *ssp)
{
	srcu_lock(&lock);
	for (unsigned int i = 0; i < DOMAINS; i++)
		if (__atomic_load_n(&domains[i], __ATOMIC_RELAXED) == ssp)
			__atomic_store_n(&domains[i], NULL, __ATOMIC_RELEASE);
	srcu_unlock(&lock);
}

static void dump_sections(FILE *to, const struct srcu_struct *ssp)
{
	struct srcu_section section;
	uint32_t index = 0;
	char text[160];

	while (srcu_section_next(ssp, &index, &section)) {
		srcu_section_describe(&section, text, sizeof(text));
		fprintf(to, "  %s\n", text);
	}
}

static void dump_domain(FILE *to, const struct srcu_struct *ssp)
{
	struct srcu_stats stats;

	if (srcu_get_stats(ssp, &stats))
		return;
	fprintf(to,
		"domain '%s' (%p): %llu reader(s), %u CPU(s); %llu grace periods, %llu shared, "
		"%llu membarriers, longest %llu ns; %llu callbacks queued, %llu invoked\n",
		ssp->name_ ? ssp->name_ : "", (const void *)ssp, (unsigned long long)stats.readers,
		stats.cpus, (unsigned long long)stats.grace_periods,
		(unsigned long long)stats.shared, (unsigned long long)stats.membarriers,
		(unsigned long long)stats.longest_ns, (unsigned long long)stats.queued,
		(unsigned long long)stats.invoked);
	dump_sections(to, ssp);
}

void srcu_dump(FILE *to)
{
	srcu_notice_fork();
	srcu_lock(&lock);
	for (unsigned int i = 0; i < DOMAINS; i++) {
		const struct srcu_struct *ssp = __atomic_load_n(&domains[i], __ATOMIC_ACQUIRE);

		if (ssp)
			dump_domain(to, ssp);
	}
	srcu_unlock(&lock);
}
