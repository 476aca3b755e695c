/* SPDX-License-Identifier: MIT */
/*
 * Sections that one thread begins and another one ends, and what else counts up in one
 * thread and down in another.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

#include <srcu/srcu.h>

#include "bench/down-up.h"
#include "bench/shim.h"

#define BLOCKS 4

/* Whose turn a block is; the tokens are written before it is given away. */
enum turn { DOWN, UP };

struct block {
	enum turn turn;
	uint64_t up_ns; /* that its latest turn took */
	uintptr_t tokens[DOWN_UP_BLOCK] __attribute__((aligned(128)));
} __attribute__((aligned(128)));

static struct block blocks[BLOCKS];
static unsigned int next; /* that the beginner fills */

/* The thread that ends sections. */
static struct {
	const struct down_up_peer *peer;
	pthread_t thread;
	bool stop;
} ender;

DEFINE_STATIC_SRCU(domain);
static unsigned long count;
static sem_t semaphore;

/* @down: an expression; @up: a statement, with the token as token. */
#define LOOPS(who, down, up)                                                             \
	static void down_##who(uintptr_t *tokens)                                        \
	{                                                                                \
		for (size_t i = 0; i < DOWN_UP_BLOCK; i++)                               \
			tokens[i] = (uintptr_t)(down);                                   \
	}                                                                                \
                                                                                         \
	static void up_##who(const uintptr_t *tokens)                                    \
	{                                                                                \
		for (size_t i = 0; i < DOWN_UP_BLOCK; i++) {                             \
			uintptr_t token = __atomic_load_n(&tokens[i], __ATOMIC_RELAXED); \
                                                                                         \
			(void)token;                                                     \
			up;                                                              \
		}                                                                        \
	}

LOOPS(srcu, srcu_down_read(&domain), srcu_up_read(&domain, (int)token))
LOOPS(srcu_fast, srcu_down_read_fast(&domain), srcu_up_read_fast(&domain, (struct srcu_ctr *)token))
LOOPS(refcount, __atomic_add_fetch(&count, 1, __ATOMIC_ACQUIRE),
	__atomic_sub_fetch(&count, 1, __ATOMIC_RELEASE))
LOOPS(semaphore, sem_post(&semaphore), sem_wait(&semaphore))
LOOPS(none, i, (void)0)

const struct down_up_peer down_up_peers[] = {
	{"srcu", down_srcu, up_srcu},
	{"srcu_fast", down_srcu_fast, up_srcu_fast},
	{"refcount", down_refcount, up_refcount},
	{"semaphore", down_semaphore, up_semaphore},
	{"none", down_none, up_none},
	{NULL, NULL, NULL},
};

/* False when there will be none.  Yields: the other thread may share the CPU. */
static bool wait_for_turn(const struct block *block, enum turn turn)
{
	while (__atomic_load_n(&block->turn, __ATOMIC_ACQUIRE) != turn) {
		if (__atomic_load_n(&ender.stop, __ATOMIC_RELAXED))
			return false;
		sched_yield();
	}
	return true;
}

static void *run_ender(void *unused)
{
	unsigned int at = 0;

	pin_beside();
	while (wait_for_turn(&blocks[at], UP)) {
		uint64_t began = clock_ns();

		ender.peer->up(blocks[at].tokens);
		blocks[at].up_ns = clock_ns() - began;
		__atomic_store_n(&blocks[at].turn, DOWN, __ATOMIC_RELEASE);
		at = (at + 1) % BLOCKS;
	}
	return unused;
}

int down_up_start(const struct down_up_peer *peer)
{
	ender.peer = peer;
	ender.stop = false;
	next = 0;
	for (unsigned int i = 0; i < BLOCKS; i++)
		blocks[i].up_ns = 0;
	sem_init(&semaphore, 0, 0);
	return pthread_create(&ender.thread, NULL, run_ender, NULL);
}

void down_up_block(uint64_t *down_ns, uint64_t *up_ns)
{
	struct block *block = &blocks[next];
	uint64_t began;

	wait_for_turn(block, DOWN);
	*up_ns = block->up_ns;
	began = clock_ns();
	ender.peer->down(block->tokens);
	*down_ns = clock_ns() - began;
	__atomic_store_n(&block->turn, UP, __ATOMIC_RELEASE);
	next = (next + 1) % BLOCKS;
}

void down_up_stop(void)
{
	for (unsigned int i = 0; i < BLOCKS; i++)
		wait_for_turn(&blocks[i], DOWN);
	__atomic_store_n(&ender.stop, true, __ATOMIC_RELAXED);
	pthread_join(ender.thread, NULL);
	sem_destroy(&semaphore);
}
