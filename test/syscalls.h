/* SPDX-License-Identifier: MIT */
/*
 * The library's system calls, as far as they go through syscall(), come to the test
 * first: the program's definition comes before the C library's, for the library too.
 */
#ifndef TEST_SYSCALLS_H
#define TEST_SYSCALLS_H

/* The test's own: returns what the caller gets, with errno when it is -1. */
long on_syscall(long number, const long a[6]);

/* Make the call. */
long real_syscall(long number, const long a[6]);

#endif /* TEST_SYSCALLS_H */
