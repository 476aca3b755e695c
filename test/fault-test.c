/* SPDX-License-Identifier: MIT */
/*
 * What the library needs fails, by itself or together with other things, from the
 * start, from the middle of a run on, for a while, or every other time: a program that
 * calls all of its functions ends, and each did what it says.
 *
 * Such a program is this one, told by the environment what fails.  FAULTS=all: with
 * every error, not just one for each case.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault-script.h"
#include "fault-shim.h"
#include "harness.h"
#include "refuse.h"

#define SKIPPED 77

/*
 * The calls, and when they fail: from the start or the middle on, for a burst in the
 * middle, or every other time, the second first, from the start (o) or the middle on (e).
 */
struct fault {
	const char *calls;
	const char *error; /* that is likely; it is the first to be tried */
	const char *when;
	bool tunable;    /* without rseq */
	bool sanitizers; /* they may be there */
	int by_kernel[3];
};

static const struct fault faults[] = {
	{"nothing", "ENOSYS", "s", false, true, {0}},
	{"membarrier", "EPERM", "smoe", false, true, {0}},
	{"membarrier+setaffinity", "EPERM", "b", false, true, {0}},
	{"membarrier+getcpu", "ENOSYS", "b", true, true, {0}},
	{"membarrier+getaffinity", "EPERM", "b", false, true, {0}},
	{"futex_wait", "EINTR", "smo", false, true, {0}},
	{"futex_wait+futex_wake", "EPERM", "sm", false, true, {0}},
	{"getaffinity", "EPERM", "s", false, true, {0}},
	{"mmap", "ENOMEM", "smo", false, false, {0}},
	{"mprotect", "ENOMEM", "smo", false, false, {0}},
	{"madvise", "ENOSYS", "so", false, false, {0}},
	{"threads", "EAGAIN", "smo", false, true, {0}},
	{"clock", "EPERM", "smo", false, true, {0}},
	{"getcpu", "ENOSYS", "smo", true, true, {0}},
	{"membarrier+futex_wait+getaffinity+mmap+threads+clock+getcpu", "ENOMEM", "s", true, false,
		{0}},
	/* By filters, which the C library meets as well. */
	{"membarrier", "EPERM", "s", false, true, {SYS_membarrier, -1}},
	{"rseq", "ENOSYS", "s", false, false, {SYS_rseq, -1}},
	{"rseq+membarrier", "ENOSYS", "s", false, false, {SYS_rseq, SYS_membarrier, -1}},
	{"getaffinity", "EPERM", "s", false, false,
		{SYS_sched_getaffinity, SYS_sched_setaffinity, -1}},
};

static const char *const errors[] = {"ENOSYS", "EPERM", "ENOMEM", "EAGAIN", "EINTR"};

enum { FAULTS = sizeof(faults) / sizeof(faults[0]), ERRORS = sizeof(errors) / sizeof(errors[0]) };

static char program[4096];

/* What is mapped once there is per-CPU memory. */
static void force_trees(void)
{
	const char *list = getenv("SRCU_FORCE");
	char more[200];

	snprintf(more, sizeof(more), "%s,tree", list ? list : "");
	setenv("SRCU_FORCE", more, 1);
}

static void become(const struct fault *fault, const char *text, const char *error)
{
	char *const argv[] = {program, NULL};

	setenv(FAULT, text, 1);
	if (strstr(fault->calls, "mmap"))
		force_trees();
	if (fault->tunable)
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
	if (fault->by_kernel[0] && !refuse(fault->by_kernel, fault_error_named(error)))
		_exit(SKIPPED);
	execv(program, argv);
	_exit(1);
}

static void assert_survived(const struct fault *fault, const char *error, char when)
{
	char text[200];
	int status;
	pid_t pid;

	snprintf(text, sizeof(text), "%s:%s:%c", fault->calls, error, when);
	pid = fork();
	if (!pid)
		become(fault, text, error);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		printf("%s: the kernel has no filters of system calls\n", text);
	else
		ck_assert_msg(!status, "%s%s: status %#x", text,
			fault->by_kernel[0] ? " by a filter" : "", (unsigned int)status);
}

/* Does the library do without the call in this run, so that it cannot fail? */
static bool never_called(const struct fault *fault, char when)
{
	if (strstr(fault->calls, "membarrier") && forced("nomembarrier"))
		return true;
	if (strstr(fault->calls, "mprotect") && forced("nomemory"))
		return true;
	if (!strstr(fault->calls, "mmap"))
		return false;
	return (when != 's' && forced("nomemory")) || (when == 'm' && forced("classic"));
}

static const char *nth_error(const char *first, int n)
{
	int at = 0;

	while (strcmp(errors[at], first))
		at++;
	return errors[(at + n) % ERRORS];
}

START_TEST(every_function_meets_it)
{
	const struct fault *fault = &faults[_i];
	const char *which = getenv("FAULTS");
	bool all = which && !strcmp(which, "all");

	if (SANITIZED && !fault->sanitizers)
		return;
	for (int at = 0; fault->when[at]; at++) {
		if (never_called(fault, fault->when[at]))
			continue;
		for (int n = 0; n < (all ? ERRORS : 1); n++)
			assert_survived(fault, nth_error(fault->error, at + n), fault->when[at]);
	}
}
END_TEST

START_TEST(inside)
{
#ifdef SRCU_RSEQ_INLINE
	if (!strncmp(getenv(FAULT), "rseq", strlen("rseq"))) /* by a filter */
		ck_assert_int_lt(srcu_rseq_cpu_(), 0);
#endif
	fault_script(SRCU_MAP);
}
END_TEST

/* In the process that meets the fault from its beginning. */
static int run_inside(void)
{
	TCase *tcase = test_case(getenv(FAULT));
	Suite *suite = suite_create("inside");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, inside);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	if (failed)
		srunner_print(runner, CK_NORMAL);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(void)
{
	TCase *tcase;
	ssize_t length;

	if (getenv(FAULT))
		return run_inside();
	tcase = test_case("faults");
	length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (length <= 0)
		return EXIT_FAILURE;
	tcase_add_loop_test(tcase, every_function_meets_it, 0, FAULTS);
	return run_suite("faults", (TCase *[]){tcase, NULL});
}
