/* SPDX-License-Identifier: MIT */
/*
 * Debug mode: a record of each section of the domains that are in it.  The
 * functions that readers call are async-signal-safe and keep errno.
 */
#ifndef SRCU_DEBUG_H
#define SRCU_DEBUG_H

#include "internal.h"

/* What a section was begun by; an unlock knows the family only. */
enum { READ_FAST = 1, READ_DOWN = 2 };
extern const char *const srcu_lock_names[4];
extern const char *const srcu_unlock_names[2];

/* An open section: a copy of its record. */
struct srcu_section {
	const struct srcu_struct *ssp;
	uintptr_t ctr; /* the token, as an address in CPU 0's slice */
	const void *site;
	uint64_t since_ns;
	int thread;
	unsigned int kind;
};

static inline bool srcu_debugged(const struct srcu_struct *ssp)
{
	return unlikely(domain_flags(ssp) & DOMAIN_DEBUG);
}

/*
 * Is @ctr on the domain's counters?  Not when it is of another domain in the same
 * memory before, or of this one before a fork.
 */
static inline bool on_current_slot(const struct srcu_struct *ssp, uintptr_t ctr)
{
	uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED);

	return !((token_word(ssp, word) ^ ctr) & WORD_SLOT);
}

/* debug.c: what each mode asks of the others */
uint32_t srcu_debug_wanted(struct srcu_struct *ssp);
uint64_t srcu_stall_ns(const struct srcu_struct *ssp);
void srcu_debug_lock(struct srcu_struct *ssp, uintptr_t ctr, unsigned int kind, const void *site);
bool srcu_debug_unlock(struct srcu_struct *ssp, uintptr_t ctr, unsigned int kind, const void *site);
void srcu_debug_wait(const struct srcu_struct *ssp, const char *function, const void *site);
void srcu_debug_after_fork(struct srcu_struct *ssp);
void srcu_debug_end(struct srcu_struct *ssp);
void srcu_debug_holders(const struct srcu_struct *ssp, char *text, size_t size);

/* section.c: the records */
bool srcu_section_add(const struct srcu_section *section);
bool srcu_section_take(const struct srcu_section *like, bool own, struct srcu_section *taken);
bool srcu_section_of_thread(const struct srcu_section *like, struct srcu_section *found);
bool srcu_section_next(const struct srcu_struct *ssp, uint32_t *index, struct srcu_section *found);
void srcu_section_describe(const struct srcu_section *section, char *text, size_t size);
void srcu_section_forget(const struct srcu_struct *ssp);

/* stall.c */
void srcu_stall_report(const struct srcu_struct *ssp, uint64_t waited_ns);

/* dump.c: the list of domains in debug mode */
void srcu_dump_add(struct srcu_struct *ssp);
void srcu_dump_remove(const struct srcu_struct *ssp);

#endif /* SRCU_DEBUG_H */
