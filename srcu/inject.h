/* SPDX-License-Identifier: MIT */
/*
 * Delays at the points where other threads matter, for tests that look for races.
 * INJECT(M) stands before the step that comments call M.  There are none but in a
 * library built with -DSRCU_INJECT, where the environment has them switched on:
 * SRCU_INJECT=M:1000,U:50 or all:200, a point and the longest delay, in turns of a
 * spinning loop.
 */
#ifndef SRCU_INJECT_H
#define SRCU_INJECT_H

/* clang-format off */
#define INJECT_POINTS(X)                                                     \
	/* Grace periods */                                                  \
	X(S)      /* before the number is read */                            \
	X(M)      /* the grace period has its number, but not its barrier */ \
	X(U)      /* before each CPU's unlocks */                            \
	X(K)      /* before the number of CPUs is read again */              \
	X(L)      /* before each CPU's locks */                              \
	X(RANK)   /* before each rank is looked at */                        \
	X(TURN)   /* before the word is turned */                            \
	X(TURNED) /* after that */                                           \
	X(D)      /* before it is said to have ended */                      \
	X(F)      /* after that, before the fence */                         \
	X(CLIMB)  /* before a number is left at a node */                    \
	/* Readers out of line */                                            \
	X(WORD)   /* between the word and all that follows */                \
	X(COUNT)  /* between the choice of where to count and the count */   \
	X(B)      /* after the count of the lock */                          \
	X(R)      /* before the count of the unlock */                       \
	X(TWIN)   /* between the load and the store of a count on the twin */ \
	X(MARK)   /* a CPU is covered, but not yet for inline readers */     \
	/* Callbacks */                                                      \
	X(PUSH)   /* before a push on the list of all */                     \
	X(TELL)   /* a callback is queued, the thread not yet told */        \
	X(C)      /* the lists are turned, pushes under way not aborted */   \
	X(TAKE)   /* before a CPU's list is emptied */                       \
	X(NUMBER) /* callbacks are collected, and have no number */          \
	X(INVOKE) /* before a callback is invoked */                         \
	X(W)      /* the thread says that it leaves, and has not looked again */ \
	/* Locks, and sleeping on words */                                   \
	X(UNLOCK) /* before a lock is let go */                              \
	X(SLEEP)  /* before the sleep, the word has been looked at */        \
	X(WAKE)   /* the word is changed, nobody woken yet */
/* clang-format on */

#ifdef SRCU_INJECT
#define INJECT_ENUM_(point) POINT_##point,
enum inject_point { INJECT_POINTS(INJECT_ENUM_) NR_POINTS };

void srcu_inject(enum inject_point point);
#define INJECT(point) srcu_inject(POINT_##point)
#define INJECTING     true /* all readers come out of line, where the points are */
#else
#define INJECT(point) ((void)0)
#define INJECTING     false
#endif

#endif /* SRCU_INJECT_H */
