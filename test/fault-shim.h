/* SPDX-License-Identifier: MIT */
/*
 * The library's calls of the kernel and of the C library come here first, and some
 * of them fail, as the environment says: FAULT=calls:error:when.
 */
#ifndef TEST_FAULT_SHIM_H
#define TEST_FAULT_SHIM_H

#include <stdbool.h>

#define FAULT "FAULT"

enum fault_call {
	FAULT_MEMBARRIER,
	FAULT_FUTEX_WAIT,
	FAULT_FUTEX_WAKE,
	FAULT_GETAFFINITY,
	FAULT_SETAFFINITY,
	FAULT_MMAP,
	FAULT_MPROTECT,
	FAULT_MADVISE,
	FAULT_THREADS,
	FAULT_CLOCK,
	FAULT_GETCPU,
	FAULT_CALLS
};

/* Do calls of this kind fail in this process, now, later or now and then? */
bool fault_concerns(enum fault_call call);

/* The error that they fail with, and its name. */
int fault_error(void);
int fault_error_named(const char *name);

/* How many have failed in this process. */
unsigned int fault_count(enum fault_call call);
const char *fault_name(enum fault_call call);

/* Those that fail from the middle of the run on do so from now on. */
void fault_begin(void);

#endif /* TEST_FAULT_SHIM_H */
