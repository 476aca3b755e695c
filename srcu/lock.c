/* SPDX-License-Identifier: MIT */
/*
 * The library's locks: futexes that hold their owner's number.  A child made by
 * fork() has no other threads but those that it makes itself, so that a lock
 * whose owner stayed behind is free there.  What a lock protects is written so
 * that whoever finds it at any point can go on.
 */
#include "internal.h"

enum { FREE, HELD = 1, SLEEPERS = 2, NUMBER_SHIFT = 2 };

#define SPINS 100

/* Numbers given to threads, in this process and those it descends from by fork. */
static uint32_t numbers;

/* The threads with numbers up to this one are not in this process, but for one. */
static uint32_t left_behind;
static uint32_t survivor;

/* The calling thread's number, from 1; 2^30 threads may take one. */
uint32_t srcu_thread_number(void)
{
	static __thread uint32_t mine __attribute__((tls_model("initial-exec")));

	if (unlikely(!mine)) {
		uint32_t number = __atomic_add_fetch(&numbers, 1, __ATOMIC_RELAXED), none = 0;

		/* A handler in between may have taken one, and even have forked with it. */
		__atomic_compare_exchange_n(
			&mine, &none, number, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	return mine;
}

bool srcu_thread_left_behind(uint32_t number)
{
	return number && number <= __atomic_load_n(&left_behind, __ATOMIC_RELAXED) &&
	       number != __atomic_load_n(&survivor, __ATOMIC_RELAXED);
}

/* The calling thread is the only one in a new process. */
void srcu_leave_threads_behind(void)
{
	__atomic_store_n(&survivor, srcu_thread_number(), __ATOMIC_RELAXED);
	__atomic_store_n(
		&left_behind, __atomic_load_n(&numbers, __ATOMIC_RELAXED), __ATOMIC_RELAXED);
}

static bool is_free(uint32_t word)
{
	return word == FREE || srcu_thread_left_behind(word >> NUMBER_SHIFT);
}

/* A look without a promise. */
bool srcu_is_unlocked(const uint32_t *lock)
{
	return is_free(__atomic_load_n(lock, __ATOMIC_RELAXED));
}

/* Does the calling thread hold it? */
bool srcu_lock_is_mine(const uint32_t *lock)
{
	uint32_t word = __atomic_load_n(lock, __ATOMIC_RELAXED);

	return word && word >> NUMBER_SHIFT == srcu_thread_number();
}

/*
 * Acquire for what the lock protects.  A full fence besides: a leader that
 * srcu_gp_hurry() does not see holding the lock sees what that stored.
 */
bool srcu_trylock(uint32_t *lock)
{
	uint32_t word = __atomic_load_n(lock, __ATOMIC_RELAXED);

	return is_free(word) &&
	       __atomic_compare_exchange_n(lock, &word, srcu_thread_number() << NUMBER_SHIFT | HELD,
		       false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void srcu_unlock(uint32_t *lock)
{
	INJECT(UNLOCK);
	if (__atomic_exchange_n(lock, FREE, __ATOMIC_RELEASE) & SLEEPERS)
		srcu_futex_wake(lock);
}

/*
 * Wait until the lock may be free.  A grace period's is only ever tried: who does
 * not get it looks after this whether the one it needs has gone by.  False when
 * the deadline has passed.
 */
bool srcu_wait_unlock(uint32_t *lock, uint64_t deadline_ns)
{
	uint64_t left = UINT64_MAX;
	uint32_t word = FREE;

	for (int i = 0; i < SPINS; i++) {
		word = __atomic_load_n(lock, __ATOMIC_RELAXED);
		if (is_free(word))
			return true;
		cpu_relax();
	}
	if (deadline_ns != UINT64_MAX) {
		uint64_t now = srcu_now_ns();

		if (now >= deadline_ns)
			return false;
		left = deadline_ns - now;
	}
	if (word & SLEEPERS || __atomic_compare_exchange_n(lock, &word, word | SLEEPERS, false,
				       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		srcu_futex_wait(lock, word | SLEEPERS, left);
	return true;
}

void srcu_lock(uint32_t *lock)
{
	while (!srcu_trylock(lock))
		srcu_wait_unlock(lock, UINT64_MAX);
}
