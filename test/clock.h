/* SPDX-License-Identifier: MIT */
/*
 * A clock of the test's, for the library and for whoever else looks at it, and
 * sleeps that take no time but the clock's.
 */
#ifndef TEST_CLOCK_H
#define TEST_CLOCK_H

#include <stdint.h>

#define US UINT64_C(1000)
#define MS (1000 * US)
#define S  (1000 * MS)

/* The time, unless it is 0: then it is the real one.  Each look takes a microsecond. */
extern uint64_t now_ns;

/* What a thread does before it sleeps on the word. */
extern void (*before_nap)(const uint32_t *word, uint64_t ns);

/* The last word on which those who sleep were woken. */
extern const uint32_t *last_woken;

#endif /* TEST_CLOCK_H */
