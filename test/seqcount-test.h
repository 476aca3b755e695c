/* SPDX-License-Identifier: MIT */
/*
 * The parts of the sequence counter's unit tests: one test case per file.  For
 * test/seqcount-*.c only.
 */
#ifndef TEST_SEQCOUNT_TEST_H
#define TEST_SEQCOUNT_TEST_H

#include <check.h>

TCase *seqcount_copy_case(void);
TCase *seqcount_debug_case(void);
TCase *seqcount_handler_case(void);
TCase *seqcount_hunt_case(void);
TCase *seqcount_latch_case(void);
TCase *seqcount_lock_case(void);
TCase *seqcount_rules_case(void);
TCase *seqcount_seqlock_case(void);
TCase *seqcount_shared_case(void);
TCase *seqcount_sequence_case(void);
TCase *seqcount_torn_case(void);

#endif /* TEST_SEQCOUNT_TEST_H */
