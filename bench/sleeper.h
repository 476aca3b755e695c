/* SPDX-License-Identifier: MIT */
/*
 * A thread that sleeps beside what is measured, again and again, in a section or
 * not.  One at a time; called from the program's main thread only.
 */
#ifndef BENCH_SLEEPER_H
#define BENCH_SLEEPER_H

#include <stdint.h>

struct sleeper {
	uint64_t ns; /* at a time */

	/* What it repeats: call @sleep once. */
	void (*round)(void (*sleep)(void));

	/* Around all of it, in the thread.  NULL: nothing to do. */
	void (*enter)(void);
	void (*leave)(void);
};

/* Start it, on any CPU; it is asleep at the return.  0 or a positive errno. */
int sleeper_start(const struct sleeper *sleeper);

/* Wakes it. */
void sleeper_stop(void);

#endif /* BENCH_SLEEPER_H */
