/* SPDX-License-Identifier: MIT */
/*
 * Children of a test.  A child reports by its exit status, since Check's own
 * means belong to the process that was forked; one that hangs is killed.
 */
#ifndef TEST_CHILD_H
#define TEST_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* How a child is made, and how it ends. */
enum child_kind { CHILD_EXITS, CHILD_EXITS_AT_ONCE, CHILD_OF__FORK, CHILD_OF_CLONE, CHILD_KINDS };

/* Is this kind to be had here? */
bool child_possible(enum child_kind kind);

/* Run @body in a child; true when nothing in it failed.  Also for use in a child. */
bool child_succeeds(enum child_kind kind, void (*body)(void *), void *arg);

/* The two halves of it: child_make() is 0 in the child, which child_end() ends. */
pid_t child_make(enum child_kind kind);
void child_end(enum child_kind kind) __attribute__((noreturn));
bool child_ended_well(pid_t pid);

/* In a child: what has to hold. */
#define must(condition) ((condition) ? (void)0 : child_failed(__FILE__, __LINE__, #condition))
void child_failed(const char *file, int line, const char *condition) __attribute__((noreturn));

#endif /* TEST_CHILD_H */
