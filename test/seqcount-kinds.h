/* SPDX-License-Identifier: MIT */
/*
 * Every kind of counter behind one interface, for tests that are the same for all:
 * one record that writers replace and readers copy.  For test/seqcount-*.c only.
 */
#ifndef TEST_SEQCOUNT_KINDS_H
#define TEST_SEQCOUNT_KINDS_H

#include <stddef.h>
#include <stdint.h>

#include <seqcount/seqlock.h>

#define RECORD_WORDS 16

struct record {
	uint64_t word[RECORD_WORDS];
};

/* The record, and what protects it; of the counters each kind uses its own. */
struct subject {
	struct record record[2]; /* the second is the latch's */
	seqcount_t plain;
	seqcount64_t wide;
	seqcount_mutex_t with_mutex;
	seqcount_spinlock_t with_spinlock;
	seqcount_rwlock_t with_rwlock;
	seqcount_latch_t latch;
	seqlock_t seqlock;
	pthread_mutex_t mutex;
	pthread_spinlock_t spinlock;
	pthread_rwlock_t rwlock;
};

/*
 * write() replaces the record by one whose words all are what follows the present
 * one's, and excludes other writers.  read() copies it; a careless one keeps what it
 * got in the first pass.
 */
struct kind {
	const char *name;
	void (*write)(struct subject *s);
	void (*read)(struct subject *s, struct record *copy, bool careless);
	void (*set_sequence)(struct subject *s, uint64_t sequence);
	bool locks_at_once; /* so that a careless reader loses nothing */
};

extern const struct kind kinds[];
extern const int kinds_count;

void subject_init(struct subject *s);

#endif /* TEST_SEQCOUNT_KINDS_H */
