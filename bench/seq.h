/* SPDX-License-Identifier: MIT */
/*
 * A peer that guards a small object with a sequence or a lock, as the benchmarks
 * of copying the object see it: one C file each (its adapter), which says how to
 * read and to write and takes the loops from seq-loops.h; a line here, in seq.c
 * and in bench.am.
 */
#ifndef BENCH_SEQ_H
#define BENCH_SEQ_H

#ifdef __cplusplus
extern "C" {
#endif

/* One object and its guard. */
struct seq_object {
	unsigned int bytes;

	/* @n times: copy it; write it, with a new value; write it, as a copy of another. */
	void (*read)(long n);
	void (*write)(long n);
	void (*write_copy)(long n);
};

#define SEQ_OBJECTS 6

struct seq_peer {
	const char *name;

	/* Once, before all else. */
	void (*init)(void);

	struct seq_object objects[SEQ_OBJECTS];
};

extern const struct seq_peer seq_seqcount;
extern const struct seq_peer seq_latch;
extern const struct seq_peer seq_ck;
extern const struct seq_peer seq_rwlock;
extern const struct seq_peer seq_spinlock;
extern const struct seq_peer seq_mutex;

/* All that this program was built with; ends with NULL. */
extern const struct seq_peer *const seq_peers[];

/* Write a struct seq_object once, for a thread that does it at a pace. */
void seq_write_one(const void *object);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_SEQ_H */
