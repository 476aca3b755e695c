/* SPDX-License-Identifier: MIT */
/*
 * What the tests of fork() share: a domain, what the parent may be at in it, and
 * what a child is entitled to.
 */
#ifndef TEST_FORK_LIVE_H
#define TEST_FORK_LIVE_H

#include "child.h"
#include "harness.h"

#define QUEUED 5

extern struct srcu_struct domain;

/* What the parent is at when it forks, and what the child finds. */
extern struct fork_state {
	enum srcu_callback_mode mode;
	enum child_kind kind;
	unsigned int first; /* what the child does first */
	unsigned int more;  /* generations */
	bool in_section;
	int idx;
	struct srcu_ctr *ctr;
	unsigned int queued;
} here;

extern const unsigned int firsts_count; /* things that a child may do first */

void init(enum srcu_callback_mode mode);
void note(struct srcu_head *head);
uint64_t count(void);
void queue(void);
void begin_sections(void);
void end_sections(void);
void callback_first(void);
void sections_are_waited_for(void);
void *read_until_told(void *arg);
void *synchronize(void *arg);
void *wait_for_callbacks(void *arg);
void a_domain_of_its_own_works(void);
void live(void *arg);

#endif /* TEST_FORK_LIVE_H */
