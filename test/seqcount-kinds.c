/* SPDX-License-Identifier: MIT */
#include "test/seqcount-kinds.h"

#include <string.h>

/* The words are stored one after the other: readers meet many half-written records. */
static void next_record(struct record *record)
{
	uint64_t next = record->word[0] + 1;
	size_t i;

	for (i = 0; i < RECORD_WORDS; i++)
		seqcount_set(record->word[i], next);
}

static void copy_record(struct record *copy, const struct record *record)
{
	seqcount_load(copy, record, sizeof(*copy));
}

/* The kinds that differ in the counter's type and in the writers' lock alone. */
#define KIND(name, counter, value_t, lock, unlock)                                     \
	static void write_##name(struct subject *s)                                    \
	{                                                                              \
		lock;                                                                  \
		write_seqcount_begin(&s->counter);                                     \
		next_record(&s->record[0]);                                            \
		write_seqcount_end(&s->counter);                                       \
		unlock;                                                                \
	}                                                                              \
	static void read_##name(struct subject *s, struct record *copy, bool careless) \
	{                                                                              \
		value_t start;                                                         \
                                                                                       \
		do {                                                                   \
			start = read_seqcount_begin(&s->counter);                      \
			copy_record(copy, &s->record[0]);                              \
		} while (read_seqcount_retry(&s->counter, start) && !careless);        \
	}

KIND(plain, plain, unsigned int, pthread_mutex_lock(&s->mutex), pthread_mutex_unlock(&s->mutex))
KIND(wide, wide, uint64_t, pthread_mutex_lock(&s->mutex), pthread_mutex_unlock(&s->mutex))
KIND(mutex, with_mutex, unsigned int, pthread_mutex_lock(&s->mutex),
	pthread_mutex_unlock(&s->mutex))
KIND(spinlock, with_spinlock, unsigned int, pthread_spin_lock(&s->spinlock),
	pthread_spin_unlock(&s->spinlock))
KIND(rwlock, with_rwlock, unsigned int, pthread_rwlock_wrlock(&s->rwlock),
	pthread_rwlock_unlock(&s->rwlock))

/* Readers that do not wait for writers, and read in vain instead. */
static void read_eagerly(struct subject *s, struct record *copy, bool careless)
{
	unsigned int start;

	do {
		start = raw_seqcount_begin(&s->with_mutex);
		copy_record(copy, &s->record[0]);
	} while (read_seqcount_retry(&s->with_mutex, start) && !careless);
}

static void read_or_yield(struct subject *s, struct record *copy, bool careless)
{
	unsigned int start;

	for (;;) {
		if (!raw_seqcount_try_begin(&s->with_spinlock, start)) {
			sched_yield();
			continue;
		}
		copy_record(copy, &s->record[0]);
		if (!read_seqcount_retry(&s->with_spinlock, start) || careless)
			return;
	}
}

static void write_latch(struct subject *s)
{
	pthread_mutex_lock(&s->mutex);
	write_seqcount_latch_begin(&s->latch);
	next_record(&s->record[0]);
	write_seqcount_latch(&s->latch);
	next_record(&s->record[1]);
	write_seqcount_latch_end(&s->latch);
	pthread_mutex_unlock(&s->mutex);
}

static void read_latch(struct subject *s, struct record *copy, bool careless)
{
	unsigned int start;

	do {
		start = read_seqcount_latch(&s->latch);
		copy_record(copy, &s->record[start & 1]);
	} while (read_seqcount_latch_retry(&s->latch, start) && !careless);
}

static void write_seqlocked(struct subject *s)
{
	write_seqlock(&s->seqlock);
	next_record(&s->record[0]);
	write_sequnlock(&s->seqlock);
}

static void write_signals_blocked(struct subject *s)
{
	sigset_t flags;

	write_seqlock_irqsave(&s->seqlock, flags);
	next_record(&s->record[0]);
	write_sequnlock_irqrestore(&s->seqlock, flags);
}

static void read_seqlocked(struct subject *s, struct record *copy, bool careless)
{
	unsigned int start;

	do {
		start = read_seqbegin(&s->seqlock);
		copy_record(copy, &s->record[0]);
	} while (read_seqretry(&s->seqlock, start) && !careless);
}

static void read_or_lock(struct subject *s, struct record *copy, bool careless)
{
	int seq = 0;
	int next = 1;

	do {
		read_seqbegin_or_lock(&s->seqlock, &seq);
		copy_record(copy, &s->record[0]);
	} while (!careless && need_seqretry(&s->seqlock, seq) && (seq = next) != 0);
	done_seqretry(&s->seqlock, seq);
}

static void read_or_lock_blocked(struct subject *s, struct record *copy, bool careless)
{
	int seq = 0;
	int next = 1;
	sigset_t flags;

	do {
		flags = read_seqbegin_or_lock_irqsave(&s->seqlock, &seq);
		copy_record(copy, &s->record[0]);
	} while (!careless && need_seqretry(&s->seqlock, seq) && (seq = next) != 0);
	done_seqretry_irqrestore(&s->seqlock, seq, flags);
}

#define SCOPED_READ(name, target)                                               \
	static void name(struct subject *s, struct record *copy, bool careless) \
	{                                                                       \
		scoped_seqlock_read (&s->seqlock, target) {                     \
			copy_record(copy, &s->record[0]);                       \
			if (careless)                                           \
				break;                                          \
		}                                                               \
	}

SCOPED_READ(read_scoped_lockless, ss_lockless)
SCOPED_READ(read_scoped_lock, ss_lock)
SCOPED_READ(read_scoped_blocked, ss_lock_irqsave)
SCOPED_READ(read_scoped_after, ss_lock_after(4))

static void read_exclusively(struct subject *s, struct record *copy, bool careless)
{
	(void)careless;
	read_seqlock_excl(&s->seqlock);
	*copy = s->record[0];
	read_sequnlock_excl(&s->seqlock);
}

#define SET_SEQUENCE(name, member, value_t)                          \
	static void set_##name(struct subject *s, uint64_t sequence) \
	{                                                            \
		s->member.sequence_ = (value_t)sequence;             \
	}

SET_SEQUENCE(plain, plain, unsigned int)
SET_SEQUENCE(wide, wide, uint64_t)
SET_SEQUENCE(mutex, with_mutex.seqcount_, unsigned int)
SET_SEQUENCE(spinlock, with_spinlock.seqcount_, unsigned int)
SET_SEQUENCE(rwlock, with_rwlock.seqcount_, unsigned int)
SET_SEQUENCE(latch, latch.seqcount_, unsigned int)
SET_SEQUENCE(seqlock, seqlock.seqcount_, unsigned int)

const struct kind kinds[] = {
	{"seqcount_t", write_plain, read_plain, set_plain, false},
	{"seqcount64_t", write_wide, read_wide, set_wide, false},
	{"seqcount_mutex_t", write_mutex, read_mutex, set_mutex, false},
	{"seqcount_mutex_t, raw_seqcount_begin()", write_mutex, read_eagerly, set_mutex, false},
	{"seqcount_spinlock_t", write_spinlock, read_spinlock, set_spinlock, false},
	{"seqcount_spinlock_t, raw_seqcount_try_begin()", write_spinlock, read_or_yield,
		set_spinlock, false},
	{"seqcount_rwlock_t", write_rwlock, read_rwlock, set_rwlock, false},
	{"seqcount_latch_t", write_latch, read_latch, set_latch, false},
	{"seqlock_t", write_seqlocked, read_seqlocked, set_seqlock, false},
	{"seqlock_t, signals blocked", write_signals_blocked, read_or_lock_blocked, set_seqlock,
		false},
	{"read_seqbegin_or_lock()", write_seqlocked, read_or_lock, set_seqlock, false},
	{"scoped, ss_lockless", write_seqlocked, read_scoped_lockless, set_seqlock, false},
	{"scoped, ss_lock", write_seqlocked, read_scoped_lock, set_seqlock, false},
	{"scoped, ss_lock_irqsave", write_seqlocked, read_scoped_blocked, set_seqlock, false},
	{"scoped, ss_lock_after()", write_seqlocked, read_scoped_after, set_seqlock, false},
	{"read_seqlock_excl()", write_seqlocked, read_exclusively, set_seqlock, true},
};
const int kinds_count = (int)(sizeof(kinds) / sizeof(kinds[0]));

void subject_init(struct subject *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->mutex, NULL);
	pthread_spin_init(&s->spinlock, PTHREAD_PROCESS_PRIVATE);
	pthread_rwlock_init(&s->rwlock, NULL);
	seqcount_init(&s->plain);
	seqcount64_init(&s->wide);
	seqcount_mutex_init(&s->with_mutex, &s->mutex);
	seqcount_spinlock_init(&s->with_spinlock, &s->spinlock);
	seqcount_rwlock_init(&s->with_rwlock, &s->rwlock);
	seqcount_latch_init(&s->latch);
	seqlock_init(&s->seqlock);
}
