/* SPDX-License-Identifier: MIT */
/*
 * Debug mode.  A domain in it has a mark of 0 and WORD_SLOW, so that all its
 * readers come out of line, where they leave a record and are counted in open_.
 *
 * The two serve different ends.  open_ decides whether an unlock has a lock: it is
 * never lower than the number of open sections, whoever begins and ends them.
 * Records say who is inside, as well as that can be told.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug.h"

#define STALL_NS  10000000000u
#define NS_PER_MS 1000000u

const char *const srcu_lock_names[4] = {
	"srcu_read_lock", "srcu_read_lock_fast", "srcu_down_read", "srcu_down_read_fast"};
const char *const srcu_unlock_names[2] = {"srcu_read_unlock", "srcu_read_unlock_fast"};

/* SRCU_DEBUG: nothing, "1", or "limit=" and milliseconds. */
enum { UNKNOWN, OFF, ON };
#define LIMIT "limit="

/* False, with 0 for the usual one, when @text is no number or does not fit. */
static bool parse_ms(const char *text, uint32_t *ms)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 10);
	bool right = *text >= '0' && *text <= '9' && !*end && value <= UINT32_MAX;

	*ms = right ? (uint32_t)value : 0;
	return right;
}

static uint32_t parse(uint32_t *limit_ms)
{
	const char *value = secure_getenv("SRCU_DEBUG");

	*limit_ms = 0;
	if (!value || !*value || !strcmp(value, "0"))
		return OFF;
	if (!strncmp(value, LIMIT, strlen(LIMIT))) {
		if (!parse_ms(value + strlen(LIMIT), limit_ms))
			srcu_warn(NULL,
				"SRCU_DEBUG: limit='%.80s' is not milliseconds from 0 to %u: "
				"the limit is the usual one",
				value + strlen(LIMIT), UINT32_MAX);
	} else if (strcmp(value, "1")) {
		srcu_warn(NULL, "SRCU_DEBUG: '%.80s' is not 0, 1 or limit=<ms>", value);
	}
	return ON;
}

/* The flags of a new domain, for one that is to be in debug mode from the start. */
uint32_t srcu_debug_wanted(struct srcu_struct *ssp)
{
	static uint32_t state, limit_ms;
	uint32_t known = __atomic_load_n(&state, __ATOMIC_ACQUIRE), limit;

	if (unlikely(known == UNKNOWN)) {
		known = parse(&limit);
		__atomic_store_n(&limit_ms, limit, __ATOMIC_RELAXED);
		__atomic_store_n(&state, known, __ATOMIC_RELEASE);
	}
	if (likely(known == OFF && !srcu_debugged(ssp)))
		return 0;
	__atomic_store_n(
		&ssp->limit_ms_, __atomic_load_n(&limit_ms, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
	srcu_dump_add(ssp);
	return DOMAIN_DEBUG | DOMAIN_COUNTED;
}

uint64_t srcu_stall_ns(const struct srcu_struct *ssp)
{
	uint64_t limit_ms = __atomic_load_n(&ssp->limit_ms_, __ATOMIC_RELAXED);

	return limit_ms ? limit_ms * NS_PER_MS : STALL_NS;
}

/*
 * Count the sections that are under way without a record.  A lock that is counted
 * after the barriers finds DOMAIN_DEBUG set when it looks, which is after it was
 * counted, and one before them is seen here; one that is both makes open_ too high,
 * which costs a report and invents none.  An inline lock looks at the mark only: one
 * that has looked already is restarted by the second barrier, and where there is no
 * such barrier, or one is refused, open_ proves nothing.
 */
static void count_untracked(struct srcu_struct *ssp)
{
	bool exact = (domain_flags(ssp) & DOMAIN_ATOMIC) || !srcu_have_rseq() ||
		     srcu_have_rseq_barrier();

	if (!srcu_barrier_all_threads(ssp) ||
		(srcu_have_rseq_barrier() && !srcu_barrier_all_pushes(ssp))) {
		exact = false;
		__atomic_fetch_or(&ssp->flags_, DOMAIN_UNTRACKED, __ATOMIC_RELAXED);
	}
	for (unsigned int rank = 0; rank < 2; rank++) {
		int64_t inside = (int64_t)srcu_gp_readers_of(ssp, rank);

		if (inside < 0)
			exact = false; /* some section was ended twice before */
		else if (inside > 0)
			__atomic_fetch_or(&ssp->flags_, DOMAIN_UNTRACKED, __ATOMIC_RELAXED);
		__atomic_fetch_add(&ssp->open_[rank], (uint32_t)inside, __ATOMIC_RELAXED);
	}
	if (exact)
		__atomic_fetch_or(&ssp->flags_, DOMAIN_COUNTED, __ATOMIC_RELEASE);
}

int srcu_debug(struct srcu_struct *ssp, unsigned int limit_ms)
{
	uintptr_t word;

	if (!srcu_domain_usable(ssp, "srcu_debug", &word))
		return -EINVAL;
	__atomic_store_n(&ssp->limit_ms_, limit_ms, __ATOMIC_RELAXED);
	/* The mark first: a section that got a record does not end inline. */
	__atomic_store_n(&ssp->mark_, 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&ssp->word_, WORD_SLOW, __ATOMIC_SEQ_CST);
	if (__atomic_fetch_or(&ssp->flags_, DOMAIN_DEBUG, __ATOMIC_SEQ_CST) & DOMAIN_DEBUG)
		return 0;
	/* Whoever raised the mark meanwhile sees the flag and takes it back. */
	__atomic_store_n(&ssp->mark_, 0, __ATOMIC_SEQ_CST);
	srcu_dump_add(ssp);
	count_untracked(ssp);
	return 0;
}

static struct srcu_section section_here(
	const struct srcu_struct *ssp, uintptr_t ctr, unsigned int kind, const void *site)
{
	return (struct srcu_section){ssp, ctr, site, srcu_now_ns(), srcu_this_thread(), kind};
}

/* A section has begun and is counted. */
void srcu_debug_lock(struct srcu_struct *ssp, uintptr_t ctr, unsigned int kind, const void *site)
{
	const struct srcu_section section = section_here(ssp, ctr, kind, site);

	__atomic_fetch_add(&ssp->open_[word_rank(ctr)], 1, __ATOMIC_RELAXED);
	if (!srcu_section_add(&section))
		__atomic_fetch_or(&ssp->flags_, DOMAIN_UNTRACKED, __ATOMIC_RELAXED);
}

/*
 * Take one section off open_; false when there is none.  A handler that interrupts
 * us may fork: in the child the section is over, and open_ counts others.
 */
static bool close_one(struct srcu_struct *ssp, uintptr_t ctr)
{
	uint32_t *open = &ssp->open_[word_rank(ctr)];
	uint32_t old = __atomic_load_n(open, __ATOMIC_ACQUIRE);

	do
		if (!on_current_slot(ssp, ctr))
			return true;
		else if (!old)
			return false;
	while (!__atomic_compare_exchange_n(
		open, &old, old - 1, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE));
	return true;
}

/*
 * Report a section of this thread's that is ended by the family it was not begun by.
 * Where not all sections have records, it may be one that has none that ends.
 */
static bool take_mixed(const struct srcu_section *end, const void *site)
{
	struct srcu_section like = *end, begun;
	char text[SITE_TEXT];

	like.kind ^= READ_FAST;
	if (!srcu_section_take(&like, true, &begun))
		return false;
	if (!(domain_flags(end->ssp) & DOMAIN_UNTRACKED))
		srcu_warn_at(end->ssp, site, "%s: ends the section that %s began at %s",
			srcu_unlock_names[end->kind], srcu_lock_names[begun.kind],
			srcu_describe_site(begun.site, text));
	return true;
}

/*
 * A section ends: may it be counted?  While sections without a record are being
 * counted, who ends one of them leaves open_ alone.
 */
bool srcu_debug_unlock(struct srcu_struct *ssp, uintptr_t ctr, unsigned int kind, const void *site)
{
	const struct srcu_section end = section_here(ssp, ctr, kind, site);
	bool counted = __atomic_load_n(&ssp->flags_, __ATOMIC_ACQUIRE) & DOMAIN_COUNTED;
	struct srcu_section begun;
	bool recorded = srcu_section_take(&end, false, &begun);

	if (!recorded && counted)
		recorded = take_mixed(&end, site);
	if (!recorded && !counted)
		return true;
	if (close_one(ssp, ctr) || !counted)
		return true;
	srcu_warn_at(ssp, site, "%s: no section with this token is under way: not counted",
		srcu_unlock_names[kind]);
	return false;
}

/* This thread is about to wait for the readers there are. */
void srcu_debug_wait(const struct srcu_struct *ssp, const char *function, const void *site)
{
	const struct srcu_section like = section_here(ssp, 0, 0, site);
	struct srcu_section own;
	char text[SITE_TEXT];

	if (srcu_lock_is_mine(&ssp->gp_lock_))
		srcu_warn_at(ssp, site,
			"%s: waits for the grace period that this thread leads: a handler must not",
			function);
	if (srcu_debugged(ssp) && srcu_section_of_thread(&like, &own))
		srcu_warn_at(ssp, site,
			"%s: waits for this thread's own section, begun by %s at %s", function,
			srcu_lock_names[own.kind], srcu_describe_site(own.site, text));
}

int srcu_read_lock_held(const struct srcu_struct *ssp)
{
	struct srcu_section like, own;

	if (!ssp || !srcu_debugged(ssp))
		return 1;
	like = section_here(ssp, 0, 0, NULL);
	return srcu_section_of_thread(&like, &own);
}

#define HOLDERS 3

/* Put a section among the oldest, of which there are @count; how many are then. */
static unsigned int insert(
	struct srcu_section *oldest, unsigned int count, const struct srcu_section *section)
{
	unsigned int at = count < HOLDERS ? count++ : HOLDERS;

	for (; at && oldest[at - 1].since_ns > section->since_ns; at--)
		if (at < HOLDERS)
			oldest[at] = oldest[at - 1];
	if (at < HOLDERS)
		oldest[at] = *section;
	return count;
}

/* Append the oldest sections on record to a report. */
void srcu_debug_holders(const struct srcu_struct *ssp, char *text, size_t size)
{
	struct srcu_section section, oldest[HOLDERS];
	unsigned int count = 0;
	uint32_t index = 0;

	while (srcu_section_next(ssp, &index, &section))
		count = insert(oldest, count, &section);
	for (unsigned int i = 0; i < count; i++) {
		size_t length = strlen(text);

		snprintf(text + length, size - length, "; ");
		length = strlen(text);
		srcu_section_describe(&oldest[i], text + length, size - length);
	}
}

/*
 * In the child of a fork, which has none of the sections that there were: those
 * that it begins are all on record and counted.
 */
void srcu_debug_after_fork(struct srcu_struct *ssp)
{
	if (!srcu_debugged(ssp))
		return;
	/* A thread that switched the mode, or raised the mark, may have stayed behind. */
	__atomic_store_n(&ssp->mark_, 0, __ATOMIC_RELAXED);
	srcu_section_forget(ssp);
	for (unsigned int rank = 0; rank < 2; rank++)
		__atomic_store_n(&ssp->open_[rank], 0, __ATOMIC_RELAXED);
	__atomic_fetch_and(&ssp->flags_, ~DOMAIN_UNTRACKED, __ATOMIC_RELAXED);
	__atomic_fetch_or(&ssp->flags_, DOMAIN_COUNTED, __ATOMIC_RELEASE);
}

/* The domain is cleaned up, or its memory goes. */
void srcu_debug_end(struct srcu_struct *ssp)
{
	if (!srcu_debugged(ssp))
		return;
	srcu_section_forget(ssp);
	srcu_dump_remove(ssp);
}
