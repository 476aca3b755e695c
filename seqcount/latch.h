/* SPDX-License-Identifier: MIT */
/*
 * Latches: a sequence counter and two copies of the data, one of which is at rest
 * at any time, so that readers never wait for a writer: also those that have
 * interrupted it, in a signal handler.  What they read may be one write old.
 *
 *	struct { seqcount_latch_t latch; struct record copy[2]; } shared;
 *
 *	write_seqcount_latch_begin(&shared.latch);
 *	seqcount_store(&shared.copy[0], &next, sizeof(next));
 *	write_seqcount_latch(&shared.latch);
 *	seqcount_store(&shared.copy[1], &next, sizeof(next));
 *	write_seqcount_latch_end(&shared.latch);
 *
 *	do {
 *		seq = read_seqcount_latch(&shared.latch);
 *		seqcount_load(&mine, &shared.copy[seq & 1], sizeof(mine));
 *	} while (read_seqcount_latch_retry(&shared.latch, seq));
 *
 * Barriers.
 *
 *	writer                          reader
 *	  change one copy                 seq = sequence       SL3: load-acquire
 *	  sequence += 1                   read copy[seq & 1]
 *	       SL1: store-release         SL4: acquire fence
 *	  SL2: release fence              sequence == seq?
 *	  change the other copy
 *
 * SL1 pairs with SL3: a reader that is sent to a copy sees all of the change that
 * was made to it.  SL2 pairs with SL4: a reader that has read any byte of a change
 * made to its copy meanwhile sees the sequence that sent readers away from it, or a
 * later one, and retries.
 *
 * A writer that dies leaves the copy that readers are sent to whole, and the sequence
 * does not tell.  Who takes over, as a robust mutex says, makes the other copy good
 * before the next write:
 *
 *	seq = read_seqcount_latch(&shared.latch);
 *	seqcount_store(&shared.copy[~seq & 1], &shared.copy[seq & 1], sizeof(next));
 *	if ((seq & 1) != 0)
 *		raw_write_seqcount_latch(&shared.latch);
 */
#ifndef SEQCOUNT_LATCH_H
#define SEQCOUNT_LATCH_H

#include <seqcount/seqcount.h>

/**
 * seqcount_latch_t - the counter of a latch
 *
 * Its lowest bit is the number of the copy to be read.  Writers exclude each other
 * as those of a seqcount_t do.  32 bits.
 *
 * Origin: Linux, seqcount_latch_t.
 */
typedef struct seqcount_latch {
	seqcount_t seqcount_;
} seqcount_latch_t;

/**
 * SEQCNT_LATCH_ZERO - initialiser of a seqcount_latch_t
 * @name: the variable it initialises
 *
 * Origin: Linux, SEQCNT_LATCH_ZERO().
 */
#define SEQCNT_LATCH_ZERO(name)   \
	{                         \
		SEQCNT_ZERO(name) \
	}

/**
 * seqcount_latch_init - initialise the counter of a latch
 * @s: the counter, which nobody else uses yet
 *
 * Context: any.
 * Ordering: none.
 * Origin: Linux, seqcount_latch_init().
 */
SEQCOUNT_INLINE_ void seqcount_latch_init(seqcount_latch_t *s)
{
	seqcount_init(&s->seqcount_);
}

/**
 * read_seqcount_latch, raw_read_seqcount_latch - begin to read one of the copies
 * @s: the counter
 *
 * Never waits.  The two are the same.
 *
 * Context: any, also signal handlers that may have interrupted the writer.
 * Ordering: the copy's changes, but for those under way, are seen by later reads
 * (SL3).
 * Return: the sequence, whose lowest bit is the number of the copy to be read.
 * Origin: Linux.
 */
SEQCOUNT_INLINE_ unsigned int raw_read_seqcount_latch(const seqcount_latch_t *s)
{
	return raw_read_seqcount(&s->seqcount_); /* SL3, pairs with SL1 */
}

SEQCOUNT_INLINE_ unsigned int read_seqcount_latch(const seqcount_latch_t *s)
{
	return raw_read_seqcount_latch(s);
}

/**
 * read_seqcount_latch_retry, raw_read_seqcount_latch_retry - end a read of a latch
 * @s: the counter
 * @start: what read_seqcount_latch() returned
 *
 * A handler that has interrupted the writer retries at most as often as other
 * writers write meanwhile.
 *
 * Context: any, signal handlers included.
 * Ordering: the reads between the two looks come before the second (SL4).
 * Return: true when the copy may have changed meanwhile, and is to be read again.
 * Origin: Linux.
 */
SEQCOUNT_INLINE_ bool raw_read_seqcount_latch_retry(const seqcount_latch_t *s, unsigned int start)
{
	return read_seqcount_retry(&s->seqcount_, start); /* SL4, pairs with SL2 */
}

SEQCOUNT_INLINE_ bool read_seqcount_latch_retry(const seqcount_latch_t *s, unsigned int start)
{
	return raw_read_seqcount_latch_retry(s, start);
}

/**
 * raw_write_seqcount_latch - send readers to the other copy
 * @s: the counter
 *
 * Called before each of the two changes, the first of which is to copy 0.
 *
 * Context: any in which the caller excludes other writers.
 * Ordering: stores before it come before the change of copies (SL1), and that
 * before stores behind it (SL2).
 * Origin: Linux, raw_write_seqcount_latch().
 */
SEQCOUNT_INLINE_ void raw_write_seqcount_latch(seqcount_latch_t *s)
{
	unsigned int *sequence = &s->seqcount_.sequence_;
	unsigned int was = __atomic_load_n(sequence, __ATOMIC_RELAXED);

	__atomic_store_n(sequence, was + 1, __ATOMIC_RELEASE); /* SL1, pairs with SL3 */
	seqcount_fence_(__ATOMIC_RELEASE);                     /* SL2, pairs with SL4 */
}

/* In debug mode: the copy that readers are sent to is the one they should be. */
SEQCOUNT_INLINE_ void seqcount_latch_check_(
	const seqcount_latch_t *s, unsigned int copy, const char *site)
{
	(void)s;
	(void)copy;
	seqcount_assert_((raw_read_seqcount_latch(s) & 1) == copy, site,
		"the writes of a latch are mixed up");
}

SEQCOUNT_INLINE_ void seqcount_latch_to_(seqcount_latch_t *s, unsigned int copy, const char *site)
{
	seqcount_latch_check_(s, copy ^ 1, site);
	raw_write_seqcount_latch(s);
}

/**
 * write_seqcount_latch_begin, write_seqcount_latch, write_seqcount_latch_end - write to
 * a latch
 * @s: the counter
 *
 * Copy 0 is changed between the first and the second, copy 1 between the second and
 * the third, both by seqcount_store() or seqcount_set().  With SEQCOUNT_DEBUG, those
 * that are out of turn are reported, and abort.
 *
 * Context, Ordering: as raw_write_seqcount_latch().
 * Origin: Linux.
 */
#define write_seqcount_latch_begin(s) seqcount_latch_to_((s), 1, SEQCOUNT_SITE_)
#define write_seqcount_latch(s)       seqcount_latch_to_((s), 0, SEQCOUNT_SITE_)
#define write_seqcount_latch_end(s)   seqcount_latch_check_((s), 0, SEQCOUNT_SITE_)

#endif /* SEQCOUNT_LATCH_H */
