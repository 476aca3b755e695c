/* SPDX-License-Identifier: MIT */
/*
 * Loaded in front of the library, for srcutorture: one of its promises is broken, the
 * one that the environment's BROKEN names; all else is the library's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <srcu/srcu.h>
#include <unistd.h>

static const char *broken = "";
static pid_t parent;

/* The library's functions, found at the start: handlers must not look for them. */
static __typeof__(&__synchronize_srcu) real_wait;
static __typeof__(&__synchronize_srcu_expedited) real_hurry;
static __typeof__(&__synchronize_srcu_timeout) real_wait_some;
static __typeof__(&__poll_state_synchronize_srcu) real_poll;
static __typeof__(&__call_srcu) real_call;
static __typeof__(&__srcu_barrier) real_barrier;
static __typeof__(&srcu_get_stats) real_get_stats;
static __typeof__(&srcu_expedite_current) real_expedite;

#define FIND(function) ((__typeof__(&(function)))dlsym(RTLD_NEXT, #function))

__attribute__((constructor)) static void begin(void)
{
	if (getenv("BROKEN"))
		broken = getenv("BROKEN");
	parent = getpid();
	real_wait = FIND(__synchronize_srcu);
	real_hurry = FIND(__synchronize_srcu_expedited);
	real_wait_some = FIND(__synchronize_srcu_timeout);
	real_poll = FIND(__poll_state_synchronize_srcu);
	real_call = FIND(__call_srcu);
	real_barrier = FIND(__srcu_barrier);
	real_get_stats = FIND(srcu_get_stats);
	real_expedite = FIND(srcu_expedite_current);
}

static bool breaks(const char *promise)
{
	return !strcmp(broken, promise);
}

/* Grace periods that wait for nobody. */
void __synchronize_srcu(struct srcu_struct *ssp)
{
	if (!breaks("wait"))
		real_wait(ssp);
}

void __synchronize_srcu_expedited(struct srcu_struct *ssp)
{
	if (!breaks("hurry"))
		real_hurry(ssp);
}

/* Children that do not wait, and an error that the function does not have. */
int __synchronize_srcu_timeout(struct srcu_struct *ssp, uint64_t timeout_ns)
{
	bool child = getpid() != parent;

	if (breaks("child") && child)
		return 0;
	if (breaks("error") && !child)
		return -EIO;
	return real_wait_some(ssp, timeout_ns);
}

/* Every cookie is done. */
bool __poll_state_synchronize_srcu(struct srcu_struct *ssp, uint64_t cookie)
{
	return breaks("poll") || real_poll(ssp, cookie);
}

/* All signals are blocked there, and on the library's threads. */
static bool in_handler(void)
{
	sigset_t set;

	return !pthread_sigmask(SIG_SETMASK, NULL, &set) && sigismember(&set, SIGRTMIN) == 1;
}

/*
 * Callbacks that do not wait, or are lost; but for those from handlers, which come in
 * earlier rounds, whose sums would be found wrong.
 */
int __call_srcu(struct srcu_struct *ssp, struct srcu_head *head, void (*func)(struct srcu_head *))
{
	if ((!breaks("call") && !breaks("lose")) || in_handler())
		return real_call(ssp, head, func);
	if (breaks("call"))
		func(head);
	return 0;
}

int __srcu_barrier(struct srcu_struct *ssp)
{
	return breaks("barrier") ? 0 : real_barrier(ssp);
}

/* A callback too many. */
int srcu_get_stats(const struct srcu_struct *ssp, struct srcu_stats *stats)
{
	int error = real_get_stats(ssp, stats);

	if (breaks("count"))
		stats->queued++;
	return error;
}

/* A report of what was not done. */
void srcu_expedite_current(struct srcu_struct *ssp)
{
	real_expedite(breaks("silence") ? NULL : ssp);
}
