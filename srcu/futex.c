/* SPDX-License-Identifier: MIT */
/*
 * Sleeping on a word.  By system call, not by a library function: no wait of
 * this library is a cancellation point, and a wake-up is async-signal-safe.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

/* The kernel's timespec of SYS_futex, whatever the width of the C library's time_t. */
struct futex_timeout {
	long seconds;
	long nanoseconds;
};

/* What a long of 32 bits can count. */
#define MOST_SECONDS 0x7fffffffu

/*
 * Was the call refused?  That is reported once, since those who sleep by then are
 * woken no more.  EFAULT: the word was unlocked and unmapped before the wake-up.
 */
static bool refused(long result)
{
	static bool told;

	if (likely(result >= 0 || errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT ||
		    errno == EFAULT))
		return false;
	if (!__atomic_exchange_n(&told, true, __ATOMIC_RELAXED))
		srcu_warn(NULL, "futex is refused: waits use the processor, and threads that "
				"were asleep before are not woken");
	return true;
}

/*
 * Sleep while the word has the expected value, for @ns at most; UINT64_MAX: for
 * ever.  May return early.  Where futexes are forbidden it yields instead.
 *
 * A handler that interrupts us may fork, and nobody is in the child to wake us.  There
 * is always a time limit, for the kernel then never goes on with the sleep after a
 * handler; and a child that was made without fork()'s handlers is noticed here, since
 * who waits calls nothing that would.
 */
void srcu_futex_wait(const uint32_t *word, uint32_t expected, uint64_t ns)
{
	struct futex_timeout timeout = {
		.seconds = (long)min_u64(ns / 1000000000u, MOST_SECONDS),
		.nanoseconds = (long)(ns % 1000000000u),
	};

	INJECT(SLEEP);
	if (refused(syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &timeout, NULL, 0)))
		sched_yield();
	srcu_notice_fork();
}

static void wake(const uint32_t *word, int most)
{
	INJECT(WAKE);
	refused(syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0));
}

/* Wake everybody who sleeps on the word. */
void srcu_futex_wake(const uint32_t *word)
{
	wake(word, INT_MAX);
}

void srcu_futex_wake_one(const uint32_t *word)
{
	wake(word, 1);
}
