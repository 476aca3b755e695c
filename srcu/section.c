/* SPDX-License-Identifier: MIT */
/*
 * The records of open sections of domains in debug mode: a table of fixed size,
 * lock-free, searched from a place that the thread's id determines.  A record
 * is taken out by whoever ends a section with that token, so that with equal
 * tokens one thread's section may go under another one's record; there are
 * never fewer records than open sections that got one.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "debug.h"

#define RECORDS SRCU_DEBUG_SECTIONS
#define LINE    64

/*
 * A record's state counts on and on: who finds it unchanged knows that all of it is.
 * It wraps to FREE, for which STATES is a power of two.
 */
enum { FREE, BUSY, LIVE, STATES = 4 };

struct record {
	uint32_t state;
	struct srcu_section section;
} __attribute__((aligned(LINE)));

static struct record records[RECORDS];

/* No record is further than this from its thread's first. */
static uint32_t reach;

static struct record *record_at(int thread, uint32_t distance)
{
	uint32_t first = (uint32_t)thread * 2654435761u;

	return &records[(first + distance) % RECORDS];
}

static bool advance(struct record *record, uint32_t state, uint32_t steps)
{
	/* Acquire for a record that was free, release for one that becomes so. */
	return __atomic_compare_exchange_n(
		&record->state, &state, state + steps, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static struct record *claim(int thread)
{
	for (uint32_t i = 0; i < RECORDS; i++) {
		struct record *record = record_at(thread, i);
		uint32_t state = __atomic_load_n(&record->state, __ATOMIC_RELAXED);
		uint32_t old = __atomic_load_n(&reach, __ATOMIC_RELAXED);

		if (state % STATES != FREE || !advance(record, state, 1))
			continue;
		while (old < i && !__atomic_compare_exchange_n(&reach, &old, i, false,
					  __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			;
		return record;
	}
	return NULL;
}

#define put(to, value) __atomic_store_n(&(to), (value), __ATOMIC_RELAXED)

/* Acquire, so that the state that is looked at last is not loaded before. */
#define get(from) __atomic_load_n(&(from), __ATOMIC_ACQUIRE)

/* False when there is no free record. */
bool srcu_section_add(const struct srcu_section *section)
{
	struct record *record = claim(section->thread);

	if (!record)
		return false;
	put(record->section.ssp, section->ssp);
	put(record->section.ctr, section->ctr);
	put(record->section.site, section->site);
	put(record->section.since_ns, section->since_ns);
	put(record->section.thread, section->thread);
	put(record->section.kind, section->kind);
	__atomic_fetch_add(&record->state, 1, __ATOMIC_RELEASE);
	return true;
}

/* A copy of a record, and the state it was copied in; false when it is not live. */
static bool look(const struct record *record, struct srcu_section *copy, uint32_t *state)
{
	*state = __atomic_load_n(&record->state, __ATOMIC_ACQUIRE);
	if (*state % STATES != LIVE)
		return false;
	copy->ssp = get(record->section.ssp);
	copy->ctr = get(record->section.ctr);
	copy->site = get(record->section.site);
	copy->since_ns = get(record->section.since_ns);
	copy->thread = get(record->section.thread);
	copy->kind = get(record->section.kind);
	return __atomic_load_n(&record->state, __ATOMIC_RELAXED) == *state;
}

enum { NONE, OTHER, DOWN, OWN };

struct match {
	struct record *record;
	uint32_t state;
	unsigned int score;
	struct srcu_section section;
};

/*
 * How well a section fits to be the one that is ended: one of the thread's own,
 * then one that was meant to be ended elsewhere, then any other.
 * A thread's srcu_read_lock() therefore never stays on record for its
 * srcu_down_read().
 */
static unsigned int score(const struct srcu_section *section, const struct srcu_section *like)
{
	if (section->ssp != like->ssp || section->ctr != like->ctr ||
		(section->kind & READ_FAST) != (like->kind & READ_FAST))
		return NONE;
	if (section->kind & READ_DOWN)
		return DOWN;
	return section->thread == like->thread ? OWN : OTHER;
}

/* Note the best match among the first @count records; of equals, the latest. */
static void search(
	const struct srcu_section *like, uint32_t count, unsigned int least, struct match *best)
{
	best->score = NONE;
	for (uint32_t i = 0; i < count; i++) {
		struct match match = {.record = record_at(like->thread, i)};

		if (!look(match.record, &match.section, &match.state))
			continue;
		match.score = score(&match.section, like);
		if (match.score < least || match.score < best->score)
			continue;
		if (match.score > best->score || match.section.since_ns >= best->section.since_ns)
			*best = match;
	}
}

/* Take out the record of a section that ends, of this thread's if @own; false: there is none. */
bool srcu_section_take(const struct srcu_section *like, bool own, struct srcu_section *taken)
{
	struct match best;

	do {
		search(like, __atomic_load_n(&reach, __ATOMIC_RELAXED) + 1, OWN, &best);
		if (!best.score && !own)
			search(like, RECORDS, OTHER, &best);
		if (!best.score)
			return false;
	} while (!advance(best.record, best.state, FREE + STATES - LIVE));
	*taken = best.section;
	return true;
}

static bool belongs(const struct srcu_section *section, const struct srcu_struct *ssp)
{
	return section->ssp == ssp && on_current_slot(ssp, section->ctr);
}

/* Is there a section of this thread in the domain, by srcu_read_lock() or its _fast? */
bool srcu_section_of_thread(const struct srcu_section *like, struct srcu_section *found)
{
	uint32_t state, count = __atomic_load_n(&reach, __ATOMIC_RELAXED) + 1;

	for (uint32_t i = 0; i < count; i++)
		if (look(record_at(like->thread, i), found, &state) && belongs(found, like->ssp) &&
			found->thread == like->thread && !(found->kind & READ_DOWN))
			return true;
	return false;
}

/* The next open section of the domain, from record *index on. */
bool srcu_section_next(const struct srcu_struct *ssp, uint32_t *index, struct srcu_section *found)
{
	uint32_t state;

	while (*index < RECORDS)
		if (look(&records[(*index)++], found, &state) && belongs(found, ssp))
			return true;
	return false;
}

/* The domain has no sections any more. */
void srcu_section_forget(const struct srcu_struct *ssp)
{
	for (uint32_t i = 0; i < RECORDS; i++) {
		struct srcu_section section;
		uint32_t state;

		if (look(&records[i], &section, &state) && section.ssp == ssp)
			advance(&records[i], state, FREE + STATES - LIVE);
	}
}

static bool thread_is_gone(int thread)
{
	int saved_errno = errno;
	bool gone = syscall(SYS_tgkill, getpid(), thread, 0) && errno == ESRCH;

	errno = saved_errno;
	return gone;
}

void srcu_section_describe(const struct srcu_section *section, char *text, size_t size)
{
	uint64_t now = srcu_now_ns();
	uint64_t ms = now > section->since_ns ? (now - section->since_ns) / 1000000 : 0;
	char site[SITE_TEXT];

	snprintf(text, size, "thread %d%s for %llu.%03llu s: %s at %s", section->thread,
		thread_is_gone(section->thread) ? ", which has exited," : "",
		(unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000),
		srcu_lock_names[section->kind], srcu_describe_site(section->site, site));
}
