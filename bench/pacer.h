/* SPDX-License-Identifier: MIT */
/*
 * A thread that does something again and again, at a pace, on the CPU after the one
 * on which the benchmark runs.  One at a time; called from the program's main thread
 * only.
 */
#ifndef BENCH_PACER_H
#define BENCH_PACER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct paced {
	void (*act)(const void *with);
	const void *with;

	/* Around all of it, in the thread.  NULL: nothing to do. */
	void (*enter)(void);
	void (*leave)(void);
};

/*
 * Start it, so many times in a millisecond, or as often as it can.  Returns when it
 * has been done once; 0 or a positive errno.
 */
int pacer_start(const struct paced *paced, unsigned int per_ms);
void pacer_stop(void);

/* How often it has been done. */
uint64_t pacer_acts(void);

/* For how long it was ready to run and others had its CPU; 0 where it is not known. */
uint64_t pacer_delay_ns(void);

/* How often the caller lost its CPU without asking for it. */
uint64_t preemptions_here(void);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_PACER_H */
