/* SPDX-License-Identifier: MIT */
/*
 * Readers that follow a pointer, and must not see what a grace period has passed
 * over.  They are started before a sandbox, and wait for nothing in it.
 */
#ifndef TEST_HUNTERS_H
#define TEST_HUNTERS_H

#include "harness.h"

/* Once they read; the second time another set of them. */
void hunters_start(struct srcu_struct *ssp);

/* Each of this set calls @each_begins first, in its thread. */
void hunters_start_with(struct srcu_struct *ssp, void (*each_begins)(void));

/* All of them, for the rest of the process. */
void hunters_stop(void);

/* Replace what they look at, that often, and until each set has read as often. */
enum { HUNT_ROUNDS = SANITIZED ? 200 : 1000 };
void assert_no_section_is_missed(struct srcu_struct *ssp, unsigned int rounds);

#endif /* TEST_HUNTERS_H */
