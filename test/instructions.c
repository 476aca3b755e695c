/* SPDX-License-Identifier: MIT */
/*
 * One loop for each short operation, for instructions.sh to count the instructions
 * of under callgrind: a function of its own, named loop_ and the operation, that
 * does it LOOPS times.  With --compiler it tells what it was compiled by instead.
 */
#include <stdio.h>
#include <string.h>

#include <seqcount/seqcount.h>
#include <srcu/percpu.h>
#include <srcu/srcu.h>

#define LOOPS 1000

static struct srcu_struct domain;
static struct srcu_head heads[LOOPS];
static uint64_t *counter;
static uint64_t cookie;
static seqcount_t sequence = SEQCNT_ZERO(sequence);
static struct {
	uint64_t words[2];
} shared;

static void nothing(struct srcu_head *head)
{
	(void)head;
}

/* What an operation gives is used. */
static inline void use(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

static inline void pair(unsigned int i)
{
	(void)i;
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
}

static inline void pair_fast(unsigned int i)
{
	(void)i;
	srcu_read_unlock_fast(&domain, srcu_read_lock_fast(&domain));
}

static inline void enqueue(unsigned int i)
{
	call_srcu(&domain, &heads[i], nothing);
}

static inline void increment(unsigned int i)
{
	(void)i;
	this_cpu_inc(*counter);
}

static inline void get_state(unsigned int i)
{
	(void)i;
	cookie = get_state_synchronize_srcu(&domain);
}

static inline void poll_done(unsigned int i)
{
	bool done = poll_state_synchronize_srcu(&domain, get_completed_synchronize_srcu());

	(void)i;
	use(&done);
}

static inline void seq_read(unsigned int i)
{
	__typeof__(shared) copy;
	unsigned int start;

	(void)i;
	do {
		start = read_seqcount_begin(&sequence);
		seqcount_load(&copy, &shared, sizeof(copy));
	} while (read_seqcount_retry(&sequence, start));
	use(&copy);
}

/* The first time is another matter: memory is taken, and symbols are bound. */
#define OPERATION(operation)                                          \
	__attribute__((noinline)) static void loop_##operation(void)  \
	{                                                             \
		for (unsigned int i = 0; i < LOOPS; i++)              \
			operation(i);                                 \
	}                                                             \
                                                                      \
	__attribute__((noinline)) static void first_##operation(void) \
	{                                                             \
		operation(0);                                         \
		srcu_barrier(&domain);                                \
	}

OPERATION(pair)
OPERATION(pair_fast)
OPERATION(enqueue)
OPERATION(increment)
OPERATION(get_state)
OPERATION(poll_done)
OPERATION(seq_read)

#ifdef __clang__
#define COMPILER "clang"
#else
#define COMPILER "gcc"
#endif

int main(int argc, char **argv)
{
	static void (*const functions[])(void) = {
		first_pair,
		loop_pair,
		first_pair_fast,
		loop_pair_fast,
		first_enqueue,
		loop_enqueue,
		first_increment,
		loop_increment,
		first_get_state,
		loop_get_state,
		first_poll_done,
		loop_poll_done,
		first_seq_read,
		loop_seq_read,
	};

	if (argc == 2 && !strcmp(argv[1], "--compiler"))
		return puts(COMPILER) == EOF;
	counter = alloc_percpu(uint64_t);
	if (!counter || init_srcu_struct_with(&domain,
				&(struct srcu_options){.callbacks = SRCU_CALLBACKS_CALLER})) {
		fprintf(stderr, "instructions: no memory\n");
		return 99;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		functions[i]();
	srcu_barrier(&domain);
	cleanup_srcu_struct(&domain);
	free_percpu(counter);
	return 0;
}
