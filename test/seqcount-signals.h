/* SPDX-License-Identifier: MIT */
/* What the tests of reading in signal handlers share: the record, and the signals. */
#ifndef TEST_SEQCOUNT_SIGNALS_H
#define TEST_SEQCOUNT_SIGNALS_H

#include <stdint.h>

#define WORDS   4
#define SIGNALS 1000u /* in a storm */

/* All words are equal between writes. */
struct record {
	uint64_t word[WORDS];
};

/* What handlers have met: written by handlers, read by anyone. */
extern unsigned int handled, torn;

void count(unsigned int *counter);
unsigned int value(const unsigned int *counter);

/* For the handler, which ends with the latter: count torn words, and the signal. */
void count_torn(const struct record *copy);
void count_handled(void);

void install_handler(void (*handler)(int));

/* Write records over and over until SIGNALS signals have come to this thread. */
void storm(void (*write_record)(const struct record *r));

#endif /* TEST_SEQCOUNT_SIGNALS_H */
