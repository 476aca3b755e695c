/* SPDX-License-Identifier: MIT */
/* What the tests of callbacks share: domains, and callbacks that are counted. */
#ifndef TEST_ITEMS_H
#define TEST_ITEMS_H

#include "harness.h"

/* A domain, static where there is no memory for another; reports are collected from now on. */
void init_domain(struct srcu_struct *ssp, enum srcu_callback_mode mode);
void init_static_domain(struct srcu_struct *ssp);

/* Clean-up succeeds, and nothing has been reported. */
void assert_clean(struct srcu_struct *ssp);

struct item {
	struct srcu_head head;
	unsigned int number;
	int invoked;
	int may_return; /* what a callback that blocks waits for */
	int invoker;    /* the id of the thread that it blocks */
};

struct item *item_of(struct srcu_head *head);

/* Callbacks. */
void note(struct srcu_head *head);
void note_and_free(struct srcu_head *head);
void block(struct srcu_head *head); /* says that it is invoked, and waits before it is counted */

/* How many have returned, and did those of note() come by their numbers, from 1? */
uint64_t items_invoked(void);
bool items_in_order(void);

/* Some callbacks of note() are invoked, all of them. */
void assert_callbacks_work(struct srcu_struct *ssp);

/* A thread that calls srcu_barrier(). */
struct barrier_caller {
	struct srcu_struct *ssp;
	pthread_t thread;
	int tid;
	int returned;
};

void barrier_start(struct barrier_caller *caller, struct srcu_struct *ssp);

/*
 * Threads of the library's by their name; how often all of them went to sleep; wait
 * until one sleeps.
 */
unsigned int library_threads(const char *name);
uint64_t library_switches(void);
void await_library_asleep(const char *name);

#endif /* TEST_ITEMS_H */
