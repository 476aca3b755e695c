/* SPDX-License-Identifier: MIT */
/* The units of the test of <srcu/urcu-compat.h>. */
#ifndef TEST_URCU_TEST_H
#define TEST_URCU_TEST_H

/* By <srcu/urcu-compat.h> in a unit that may not have readers inline. */
void other_read_lock(void);
void other_read_unlock(void);
int other_read_ongoing(void);

/* By a flavor of liburcu's. */
void flavor_begin(void); /* a thread, and a section of its own */
void flavor_synchronize(void);
void flavor_call(int *called);
void flavor_barrier(void);
void flavor_end(void);

#endif /* TEST_URCU_TEST_H */
