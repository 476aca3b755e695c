/* SPDX-License-Identifier: MIT */
/*
 * The inline readers as a program has them, on a domain behind a pointer, and
 * once more written out without anything that readers could do without; and a
 * read of data that a seqcount guards: for reader-asm.sh to disassemble.  Never run.
 */
#include <seqcount/seqcount.h>
#include <srcu/srcu.h>

struct data {
	uint64_t words[2];
};

void pair_fast(struct srcu_struct *ssp);
void pair_int(struct srcu_struct *ssp);

void pair_fast(struct srcu_struct *ssp)
{
	struct srcu_ctr *ctr = srcu_read_lock_fast(ssp);

	srcu_read_unlock_fast(ssp, ctr);
}

void pair_int(struct srcu_struct *ssp)
{
	int idx = srcu_read_lock(ssp);

	srcu_read_unlock(ssp, idx);
}

void seq_read(const seqcount_t *sequence, const struct data *data, struct data *copy);

void seq_read(const seqcount_t *sequence, const struct data *data, struct data *copy)
{
	unsigned int start;

	do {
		start = read_seqcount_begin(sequence);
		seqcount_load(copy, data, sizeof(*copy));
	} while (read_seqcount_retry(sequence, start));
}

#ifdef SRCU_RSEQ_INLINE
void plain_fast(struct srcu_struct *ssp);
void plain_int(struct srcu_struct *ssp);
struct srcu_ctr *plain_slow_lock(struct srcu_struct *ssp);
void plain_slow_unlock(struct srcu_struct *ssp, struct srcu_ctr *ctr);
int plain_slow_lock_int(struct srcu_struct *ssp);
void plain_slow_unlock_int(struct srcu_struct *ssp, int idx);

/* Count where the word says, unless its tag keeps inline readers out. */
static inline bool count_lock(struct srcu_struct *ssp, uintptr_t *word)
{
	if (!srcu_likely_(ssp != NULL))
		return false;
	*word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED);
	return srcu_likely_(!(*word & 1)) &&
	       srcu_likely_(srcu_rseq_inc_lock_(*word, &ssp->mark_, 1));
}

static inline struct srcu_ctr *lock_fast(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (srcu_likely_(count_lock(ssp, &word)))
		return (struct srcu_ctr *)word;
	return plain_slow_lock(ssp);
}

static inline void unlock_fast(struct srcu_struct *ssp, struct srcu_ctr *ctr)
{
	if (srcu_likely_(ssp != NULL) &&
		srcu_likely_(srcu_rseq_inc_unlock_((uintptr_t)ctr, &ssp->mark_, 1)))
		return;
	plain_slow_unlock(ssp, ctr);
}

void plain_fast(struct srcu_struct *ssp)
{
	unlock_fast(ssp, lock_fast(ssp));
}

static inline int lock_int(struct srcu_struct *ssp)
{
	uintptr_t word;

	if (srcu_likely_(count_lock(ssp, &word)))
		return (int)((word >> 4) & 0x7fffffff);
	return plain_slow_lock_int(ssp);
}

static inline void unlock_int(struct srcu_struct *ssp, int idx)
{
	if (srcu_likely_(ssp != NULL)) {
		uintptr_t word = __atomic_load_n(&ssp->word_, __ATOMIC_RELAXED);
		uintptr_t ctr = (word >> SRCU_WINDOW_SHIFT_ << SRCU_WINDOW_SHIFT_) |
				(uintptr_t)(unsigned int)idx << 4;

		if (srcu_likely_(srcu_rseq_inc_unlock_(ctr, &ssp->mark_, 1)))
			return;
	}
	plain_slow_unlock_int(ssp, idx);
}

void plain_int(struct srcu_struct *ssp)
{
	unlock_int(ssp, lock_int(ssp));
}
#endif
