/* SPDX-License-Identifier: MIT */
/* System calls that the kernel refuses from now on, in all threads, for good. */
#ifndef TEST_REFUSE_H
#define TEST_REFUSE_H

#include <stdbool.h>

/*
 * Calls of @numbers, which end with a negative one, fail with @error; 0: they seem
 * to succeed.  False where the kernel has no such filters.
 */
bool refuse(const int *numbers, int error);

/* Only those whose first argument has all of @bits set. */
bool refuse_if(int number, unsigned int bits, int error);

#endif /* TEST_REFUSE_H */
