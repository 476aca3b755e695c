/* SPDX-License-Identifier: MIT */
/* Which of the library's functions a program has called. */
#ifndef TEST_FAULT_CALLS_H
#define TEST_FAULT_CALLS_H

#include <stdbool.h>

void note_call(const char *name);
void forget_calls(void);

/* Evaluate @call, which calls the exported function @name, perhaps from a header. */
#define VIA(name, call) (note_call(#name), (void)&(name), (call))
#define DIRECT(name)    (note_call(#name), name)

/*
 * Fail unless all that @map exports was called, and nothing else; without objects in
 * per-CPU memory, but for what cannot be called then.
 */
void check_all_called(const char *map, bool have_objects);

#endif /* TEST_FAULT_CALLS_H */
