/* SPDX-License-Identifier: MIT */
/* What child.h declares. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "harness.h"

#define CHILD_WATCHDOG_S 30

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
#define HAVE__FORK 1
#else
#define HAVE__FORK 0
#define _Fork      fork
#endif

/* A sanitizer does not see these, and has locks of its own. */
bool child_possible(enum child_kind kind)
{
	return kind <= CHILD_EXITS_AT_ONCE ||
	       (!SANITIZED && (kind != CHILD_OF__FORK || HAVE__FORK));
}

static pid_t make(enum child_kind kind)
{
	switch (kind) {
	case CHILD_OF__FORK:
		return _Fork();
	case CHILD_OF_CLONE:
		return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	default:
		return fork();
	}
}

/* A library's thread, which callbacks fork from, has all signals blocked. */
static void arm_watchdog(void)
{
	sigset_t alarm_only;

	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	signal(SIGALRM, SIG_DFL);
	pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
	alarm(CHILD_WATCHDOG_S);
}

pid_t child_make(enum child_kind kind)
{
	pid_t pid = make(kind);

	if (!pid)
		arm_watchdog();
	return pid;
}

void child_end(enum child_kind kind)
{
#ifdef SRCU_TSAN
	/* TSan sees no order in a child of several threads, and would have its say here. */
	syscall(SYS_exit_group, 0);
#endif
	if (kind == CHILD_EXITS)
		exit(0);
	_exit(0);
}

bool child_ended_well(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFSIGNALED(status))
		dprintf(STDERR_FILENO, "child: signal %d\n", WTERMSIG(status));
	return status == 0;
}

bool child_succeeds(enum child_kind kind, void (*body)(void *), void *arg)
{
	pid_t pid = child_make(kind);

	if (pid)
		return child_ended_well(pid);
	body(arg);
	child_end(kind);
}

void child_failed(const char *file, int line, const char *condition)
{
	dprintf(STDERR_FILENO, "child: %s:%d: %s\n", file, line, condition);
	_exit(1);
}
