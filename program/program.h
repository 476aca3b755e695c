/* SPDX-License-Identifier: MIT */
/*
 * What irqfd-demo and srcutorture share: the way out when the machine cannot be set
 * up, memory, the clock and random numbers.  Owns no state.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/* The exit status after wrong arguments, and wrong scripts. */
#define STATUS_USAGE 2

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Say what failed, with @error's text when it is not 0, and exit with status 1. */
void die(int error, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

/* malloc() that zeroes and does not fail. */
void *zalloc(size_t size);

/* CLOCK_MONOTONIC, the same in every process. */
uint64_t now_ns(void);

/* A full-period generator for any seed; one per thread. */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t bound);

#endif /* PROGRAM_H */
