/* SPDX-License-Identifier: MIT */
/*
 * The changes to KVM that the demo began with, each shown with its mechanism and
 * without it.  A seed is a table of parts; the parts share nothing.
 */
#ifndef SEED_H
#define SEED_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Show a seed; returns the program's exit status. */
typedef int seed_fn(void);

seed_fn seed_000, seed_001, seed_002, seed_003, seed_004;

/* The seed of that name, or NULL. */
seed_fn *seed_find(const char *name);

#define SEED_SAW_SIZE 100

struct seed_part {
	const char *what;      /* the situation */
	const char *mechanism; /* what it needs */
	/* Run it, the mechanism left out or not; was it right?  @saw gets what was seen. */
	bool (*run)(bool without, char saw[SEED_SAW_SIZE]);
};

/*
 * Run each part with its mechanism and without, and print what was seen.  Returns
 * 0 when all is right with it and all breaks without it, else 1, saying which.
 */
int seed_show(const struct seed_part *parts, size_t nr);

/* A thread that does one thing, for which it may have to wait. */
struct seed_thread {
	void (*body)(void *data);
	void *data;
	pthread_t thread;
	int tid;
	int done;
};

void seed_thread_start(struct seed_thread *thread);

/*
 * Wait until it has done its thing or, with @waits, sleeps in the kernel on the
 * way; has it?
 */
bool seed_thread_await(const struct seed_thread *thread, bool waits);

void seed_thread_join(struct seed_thread *thread);

#endif /* SEED_H */
