/* SPDX-License-Identifier: MIT */
/*
 * srcutorture: what its parts share.  A run is a row of rounds; a round has fresh
 * domains in arenas, workers that are at them for a while, and a reckoning when all
 * of them have stopped.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include "program/program.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <srcu/srcu.h>

#define NS_PER_S  1000000000u
#define NS_PER_MS 1000000u
#define NS_PER_US 1000u

#define MAX_DOMAINS 64
#define MAX_WORKERS 96
#define LINE        64

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct options {
	double duration;
	uint64_t seed;
	unsigned int domains;
	bool json;
};

/* What can be found wrong. */
enum check {
	CHECK_PIPE,     /* a section held an element that a grace period had passed by */
	CHECK_MEMORY,   /* stores around a grace period and in a section out of order */
	CHECK_COOKIE,   /* done in a section, or not after a grace period */
	CHECK_CALLBACK, /* invoked too early, too often or not */
	CHECK_BARRIER,  /* returned with callbacks left */
	CHECK_SUMS,     /* counters that do not add up */
	CHECK_PROGRESS, /* something takes far too long, or for ever */
	CHECK_FORK,     /* a child failed */
	CHECK_RETURN,   /* a function returned what it must not */
	CHECK_REPORT,   /* the library reported something */
	NR_CHECKS
};

/* Async-signal-safe. */
void failed(enum check check, const char *what, uint64_t number);
uint64_t failures(enum check check);
uint64_t all_failures(void);
const char *check_name(enum check check);

/* What was done, on per-CPU counters. */
enum count {
	COUNT_SECTIONS,
	COUNT_KICKS,  /* handlers of signals */
	COUNT_TIMERS, /* handlers of timers */
	COUNT_ACROSS,
	COUNT_WAITS,
	COUNT_POLLS,
	COUNT_CALLBACKS,
	COUNT_BARRIERS,
	COUNT_FLOODS,
	COUNT_THREADS,
	COUNT_DOMAINS,
	COUNT_SHUFFLES,
	COUNT_FORKS,
	NR_COUNTS
};

void tally_begin(void);
void tally_up(enum count count);
uint64_t tallied(enum count count);
const char *count_name(enum count count);

/* The longest wait for readers of any domain, and the grace periods of those that are gone. */
extern uint64_t longest_ns, grace_periods;

void nap_ns(uint64_t ns);
void spin(uint64_t loops);

/* zalloc() of whole cache lines. */
void *zalloc_lines(size_t size);

/*
 * An element that readers find.  Its pipe is 0 while it is published, 1 when it was
 * replaced, and one more with each grace period after that.
 */
#define STAGES 5

struct element {
	struct srcu_head head;
	unsigned int pipe;
	uint64_t generation;
	uint64_t inverse;
	struct element *next;
	struct arena *arena;
};

#define ELEMENTS 192

/* What a worker last wrote in a section: the number that it had found there. */
struct reply {
	uint64_t number;
} __attribute__((aligned(LINE)));

struct arena {
	struct srcu_struct *ssp;
	bool fixed;       /* the static domain */
	bool by_caller;   /* callbacks are invoked by srcu_run_callbacks() and barriers */
	uint64_t queued;  /* calls of call_srcu() that took the callback */
	uint64_t invoked; /* callbacks */
	uint64_t base;    /* what both were when the round began */

	struct element *current __attribute__((aligned(LINE)));

	/* The mailbox: stored before a grace period, and after it. */
	uint64_t before __attribute__((aligned(LINE)));
	uint64_t after __attribute__((aligned(LINE)));
	int mail_busy;
	uint64_t passed; /* the latest number that a grace period came after */
	uint64_t seen[MAX_WORKERS];
	struct reply replies[MAX_WORKERS];

	pthread_mutex_t lock __attribute__((aligned(LINE)));
	struct element *pool;
	unsigned int pooled;
	uint64_t generation;
	struct element elements[ELEMENTS];
};

extern struct arena *arenas[MAX_DOMAINS];
extern unsigned int nr_arenas;
extern bool in_child;  /* of a fork, where callbacks do nothing */
#define CHILD_FAILED 9 /* the status of one in which something was found wrong */

void random_domain(struct srcu_options *options, uint64_t *random);
void arenas_begin(unsigned int n, uint64_t *random);
void arenas_end(void);
struct element *arena_replace(struct arena *arena);
bool element_age(struct element *element);
void element_give_back(struct element *element);
void arena_call_to_free(struct arena *arena, struct element *element);
int arena_call(struct arena *arena, struct srcu_head *head, void (*func)(struct srcu_head *));
void arena_invoked(struct arena *arena);

/* A section, and what was found in it. */
enum family { INT, FAST, DOWN, DOWN_FAST, NR_FAMILIES };

struct worker;

struct section {
	struct arena *arena;
	enum family family;
	int idx;
	struct srcu_ctr *scp;
	struct element *element;
	uint64_t generation;
	uint64_t before;
	uint64_t cookie;
	bool has_cookie;
};

void section_begin(struct section *section, struct arena *arena, enum family family);
void section_check(const struct section *section);
void section_end(const struct section *section, unsigned int slot);
void parcel_send(struct section *section, unsigned int slot);
bool parcel_end_one(uint64_t *random, unsigned int slot);
void parcels_end(struct worker *worker);

#define HANDLER_HEADS 8
#define REMOVED       32

struct handler_head {
	struct srcu_head head;
	struct arena *arena;
	int busy;
};

struct worker {
	const struct job *job;
	pthread_t thread;
	unsigned int slot; /* its reply's number */
	uint64_t random;
	uint64_t handler_random;
	uint64_t sections;
	uint64_t handler_sections;
	bool in_handler;
	bool stopped;
	uint64_t steps;    /* that it has ended */
	uint64_t since_ns; /* when its step began */
	int kicked;        /* a signal of another worker's is on its way */
	timer_t timer;
	struct itimerspec timer_after; /* the end of its last handler */
	bool has_timer;
	struct element *removed[REMOVED];
	unsigned int nr_removed;
	uint64_t cookies[NUM_ACTIVE_SRCU_POLL_OLDSTATE];
	const struct arena *cookies_of;
	struct handler_head heads[HANDLER_HEADS];
};

extern __thread struct worker *self;

/* What a worker does over and over, at least once, until the round is over. */
struct job {
	const char *name;
	void (*step)(struct worker *worker);
	void (*finish)(struct worker *worker);
	uint64_t timer_ns; /* how often its thread is interrupted; 0: by chance only */
	bool leaves;       /* leaves sections to others, in handlers too */
};

extern const struct job duel_reader, duel_updater, holder, insister, drifter;
extern const struct job reader, relay, updater, barrierer, flooder;
extern const struct job thread_churner, domain_churner, shuffler, mover, signaller, forker;

struct arena *random_arena(uint64_t *random);
void dawdle(uint64_t *random);
void signals_begin(void);
void worker_signals(struct worker *worker, bool on);
void section_counted(void);
void sections_check(void);

extern struct worker *workers;
extern unsigned int nr_workers;

/* Is it time to stop?  Those who would end sections of others may have gone. */
bool round_over(void);

/*
 * Round @number, counted from 0, until its time is over or @tick, which is called now
 * and then, says no.  False: it does not end, and nothing can be done in this process.
 */
bool round_run(uint64_t number, uint64_t *random, unsigned int domains, bool (*tick)(void));
void arenas_close(void);

/* What is printed. */
void report_begin(const struct options *options);
void report_line(uint64_t rounds);
bool report_end(uint64_t rounds);

#endif /* TORTURE_H */
