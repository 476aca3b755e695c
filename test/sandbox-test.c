/* SPDX-License-Identifier: MIT */
/*
 * Sandboxes: what the kernel refuses from the start or from some time on, and
 * limits.  The library works all the same, or returns what it lacks, and no
 * grace period is too short.
 *
 * What is refused from the start is refused to a program that begins in there:
 * this one, told by the environment which sandbox it is in.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "hunters.h"
#include "items.h"
#include "refuse.h"

#define INSIDE  "SANDBOX_TEST_INSIDE"
#define SKIPPED 77

DEFINE_STATIC_SRCU(domain);

static struct srcu_stats stats_of(struct srcu_struct *ssp)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(ssp, &stats), 0);
	return stats;
}

static bool no_membarrier(void)
{
	return refuse((int[]){SYS_membarrier, -1}, EPERM);
}

static bool old_kernel(void)
{
	return refuse((int[]){SYS_membarrier, SYS_rseq, -1}, ENOSYS);
}

static bool no_rseq(void)
{
	return refuse((int[]){SYS_rseq, -1}, ENOSYS);
}

static bool no_rseq_barrier(void)
{
	return refuse_if(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, EINVAL);
}

static bool no_affinity(void)
{
	return refuse((int[]){SYS_sched_getaffinity, SYS_sched_setaffinity, -1}, EPERM);
}

static bool no_policies(void)
{
	return refuse((int[]){SYS_sched_setscheduler, -1}, ENOSYS);
}

static bool tunable(void)
{
	return setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1) == 0;
}

/* It answers that it was done. */
static bool deaf_to_advice(void)
{
	return refuse((int[]){SYS_madvise, -1}, 0);
}

static bool no_proc_and_sys(void)
{
	return unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", "/proc", "tmpfs", 0, NULL) == 0 &&
	       mount("none", "/sys", "tmpfs", 0, NULL) == 0 && access("/proc/self", F_OK) != 0;
}

/*
 * Sandboxes, and what the library is to make of them; nothing else is refused in a plain
 * run.  Sanitizers start threads and look around on their own: not all is for them.
 */
static const struct {
	const char *name;
	bool (*enter)(void);
	bool fenced, atomic, sanitizers;
} sandboxes[] = {
	{"no membarrier", no_membarrier, true, true, true},
	{"old kernel", old_kernel, true, true, false},
	{"no rseq", no_rseq, false, true, false},
	{"no rseq by tunable", tunable, false, true, true},
	{"no barrier for rseq", no_rseq_barrier, false, false, true},
	{"no affinity", no_affinity, false, false, false},
	{"no policies", no_policies, false, false, true},
	{"deaf to advice", deaf_to_advice, false, false, false},
	{"no /proc and /sys", no_proc_and_sys, false, false, false},
};
#define SANDBOXES (int)(sizeof(sandboxes) / sizeof(sandboxes[0]))

START_TEST(it_works_in_a_program_that_begins_in_a_sandbox)
{
	char path[4096], number[4], *const argv[] = {path, NULL};
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int status;
	pid_t pid;

	if (SANITIZED && !sandboxes[_i].sanitizers)
		return;
	ck_assert_int_gt(length, 0);
	path[length] = 0;
	pid = fork();
	if (!pid) {
		snprintf(number, sizeof(number), "%d", _i);
		setenv(INSIDE, number, 1);
		if (!sandboxes[_i].enter())
			_exit(SKIPPED);
		execv(path, argv);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		printf("'%s' is not to be had here\n", sandboxes[_i].name);
	else
		ck_assert_msg(!status, "'%s': status %#x", sandboxes[_i].name, (unsigned)status);
}
END_TEST

static bool plain_run(void)
{
	return !getenv("SRCU_FORCE") && !getenv("GLIBC_TUNABLES");
}

static void wait_for_nobody(void *arg)
{
	synchronize_srcu(arg);
}

static void *fork_one(void *arg)
{
	ck_assert(child_succeeds(CHILD_EXITS_AT_ONCE, wait_for_nobody, arg));
	return arg;
}

static void assert_children_are_mended(void)
{
	int idx = srcu_read_lock(&domain);

	thread_join(thread_start(fork_one, &domain));
	srcu_read_unlock(&domain, idx);
}

static void use_all(void)
{
	struct srcu_struct other;

	init_domain(&other, SRCU_CALLBACKS_THREADS);
	hunters_start(&domain);
	assert_no_section_is_missed(&domain, HUNT_ROUNDS);
	assert_callbacks_work(&other);
	assert_callbacks_work(&domain);
	hunters_stop();
	assert_clean(&other);
	assert_children_are_mended();
}

START_TEST(inside)
{
	const int number = atoi(getenv(INSIDE));

	ck_assert_int_eq(srcu_start_callbacks(), 0);
	use_all();
	if (sandboxes[number].fenced)
		ck_assert_int_eq(stats_of(&domain).barrier, SRCU_BARRIER_FENCES);
	else if (plain_run())
		ck_assert_int_eq(stats_of(&domain).barrier, SRCU_BARRIER_MEMBARRIER);
	if (sandboxes[number].atomic && !forced("nomemory"))
		ck_assert_int_eq(stats_of(&domain).counters, SRCU_COUNT_ATOMIC);
	assert_clean(&domain);
}
END_TEST

/* For where nothing may be mounted: a directory that there is everywhere, as the root. */
START_TEST(no_files_are_there_any_more)
{
	if ((geteuid() && unshare(CLONE_NEWUSER)) || chroot("/proc/self/fdinfo") || chdir("/")) {
		printf("no other root directory is to be had here\n");
		return;
	}
	ck_assert_int_ne(access("/proc", F_OK), 0);
	ck_assert_int_ne(access("/sys", F_OK), 0);
	use_all();
}
END_TEST

static int run_inside(void)
{
	TCase *tcase = test_case(getenv(INSIDE));
	TCase *cases[] = {tcase, NULL};

	tcase_add_test(tcase, inside);
	return run_suite("inside a sandbox", cases);
}

/* Refuse system calls to this process; true where that is not to be had. */
static bool no_filters(const int *numbers, int error)
{
	bool none = !refuse(numbers, error);

	if (none)
		printf("the kernel has no filters of system calls, or they are refused\n");
	return none;
}

/*
 * Without threads of the library: nothing wakes those that sleep by then, and the C
 * library ends a process that starts more.
 */
START_TEST(futexes_are_refused)
{
	struct srcu_struct caller;
	int idx;

	init_domain(&caller, SRCU_CALLBACKS_CALLER);
	hunters_start(&domain);
	if (no_filters((int[]){SYS_futex, -1}, EPERM))
		return;
	assert_no_section_is_missed(&domain, HUNT_ROUNDS);
	assert_callbacks_work(&caller);
	hunters_stop();
	idx = srcu_read_lock(&domain);
	while (!warnings())
		ck_assert_int_eq(synchronize_srcu_timeout(&domain, 20000000), -ETIMEDOUT);
	srcu_read_unlock(&domain, idx);
	ck_assert(warned_of("futex is refused"));
	ck_assert_int_eq(cleanup_srcu_struct(&caller), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	/* In debug mode there is a report of the thread that waits for itself, too. */
	if (!getenv("SRCU_DEBUG"))
		ck_assert_uint_eq(warnings(), 1);
}
END_TEST

static const int thread_refusals[] = {EPERM, EAGAIN};

START_TEST(threads_are_refused)
{
	static struct item item = {.number = 1};

	init_static_domain(&domain);
	hunters_start(&domain);
	if (no_filters((int[]){SYS_clone, SYS_clone3, -1}, thread_refusals[_i]))
		return;
	if (!forced("nomemory"))
		ck_assert_int_eq(init_srcu_struct(&(struct srcu_struct){0}), 0);
	ck_assert_int_eq(srcu_start_callbacks(), -thread_refusals[_i]);
	assert_no_section_is_missed(&domain, HUNT_ROUNDS);
	ck_assert_int_eq(call_srcu(&domain, &item.head, note), 0);
	synchronize_srcu(&domain);
	ck_assert_uint_eq(items_invoked(), 1);
	hunters_stop();
	assert_clean(&domain);
}
END_TEST

/* All domains that there is memory for, which @made is to have room for; then none. */
static unsigned int make_domains(struct srcu_struct *made, unsigned int most)
{
	unsigned int n = 0;
	int error = 0;

	while (n < most && !(error = init_srcu_struct(&made[n])))
		n++;
	ck_assert_int_eq(error, -ENOMEM);
	return n;
}

static void end_domains(struct srcu_struct *made, unsigned int n)
{
	while (n--) {
		srcu_read_unlock(&made[n], srcu_read_lock(&made[n]));
		synchronize_srcu(&made[n]);
		ck_assert_int_eq(cleanup_srcu_struct(&made[n]), 0);
	}
}

/* False: the limit is lower than that already, and stays. */
static bool limit(int resource, rlim_t value)
{
	struct rlimit limits = {value, value};

	if (!setrlimit((__rlimit_resource_t)resource, &limits))
		return true;
	ck_assert_int_eq(getrlimit((__rlimit_resource_t)resource, &limits), 0);
	ck_assert_uint_lt(limits.rlim_max, value);
	limits.rlim_cur = limits.rlim_max;
	ck_assert_int_eq(setrlimit((__rlimit_resource_t)resource, &limits), 0);
	return false;
}

/* What is left: no domains, some, or there are too many CPUs or other limits to tell. */
enum left { NONE, SOME, UNKNOWN };

#define ROOM (24 << 20)

static enum left some_if(bool room)
{
	return room && nr_possible_cpus() <= 512 ? SOME : UNKNOWN;
}

static enum left no_address_space(void)
{
	limit(RLIMIT_AS, 1);
	return NONE;
}

static enum left little_address_space(void)
{
	return some_if(limit(RLIMIT_AS, mapped_bytes(false) + ROOM));
}

/*
 * As a kernel that does not overcommit, which is the whole machine's setting, does:
 * reservations are free, what is opened is not.
 */
static enum left no_writable_memory(void)
{
	limit(RLIMIT_DATA, 1);
	return NONE;
}

static void drop_privileges(void)
{
	if (!geteuid())
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
}

/* Memory is locked as it is mapped, and there is little to lock; none by privilege. */
static enum left locked_memory(void)
{
	bool room = limit(RLIMIT_MEMLOCK, ROOM);

	drop_privileges();
	ck_assert_int_eq(mlockall(MCL_FUTURE), 0);
	return some_if(room);
}

static enum left (*const scarcities[])(void) = {
	no_address_space, little_address_space, no_writable_memory, locked_memory};
#define SCARCITIES (int)(sizeof(scarcities) / sizeof(scarcities[0]))

/* Nothing is left at all, or room for a few. */
START_TEST(memory_is_scarce_from_the_start)
{
	enum { MOST = 8000 };
	static struct srcu_struct made[MOST];
	enum left left;
	unsigned int n;

	init_static_domain(&domain);
	left = scarcities[_i]();
	n = make_domains(made, MOST);
	if (left == NONE || forced("nomemory"))
		ck_assert_uint_eq(n, 0);
	else if (left == SOME)
		ck_assert_uint_gt(n, 0);
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	ck_assert_int_eq(stats_of(&domain).counters, SRCU_COUNT_TWIN);
	synchronize_srcu(&domain);
	assert_callbacks_work(&domain);
	end_domains(made, n);
	assert_clean(&domain);
}
END_TEST

/* The same with threads, whose stacks are there before. */
START_TEST(no_section_is_missed_where_memory_is_scarce)
{
	init_static_domain(&domain);
	hunters_start(&domain);
	scarcities[_i]();
	assert_no_section_is_missed(&domain, HUNT_ROUNDS);
	hunters_stop();
	assert_clean(&domain);
}
END_TEST

/*
 * What is there is locked: of the window what is open, though all of it counts, so
 * that those without privilege are refused.
 */
START_TEST(memory_is_locked_once_a_domain_is_in_use)
{
	struct srcu_struct other;
	bool refused;

	init_domain(&other, SRCU_CALLBACKS_THREADS);
	assert_callbacks_work(&other);
	if (_i) {
		limit(RLIMIT_MEMLOCK, ROOM);
		drop_privileges();
	}
	refused = mlockall(MCL_CURRENT);
	if (_i && !forced("nomemory"))
		ck_assert(refused && errno == ENOMEM);
	if (!refused)
		ck_assert_uint_lt(mapped_bytes(true), 1 << 30);
	use_all();
	assert_clean(&other);
	assert_clean(&domain);
}
END_TEST

static struct stepper distant = STEPPER_INIT;

static void *read_on_last_cpu(void *arg)
{
	struct srcu_struct *ssp = arg;
	int idx;

	pin_to_nth_cpu(cpus_allowed() - 1);
	step_pause(&distant, 1);
	idx = srcu_read_lock(ssp);
	step_pause(&distant, 2);
	srcu_read_unlock(ssp, idx);
	return NULL;
}

START_TEST(memory_is_refused_when_a_cpu_turns_up)
{
	enum { MOST = 200 };
	static struct srcu_struct made[MOST], fresh;
	pthread_t thread = thread_start(read_on_last_cpu, &fresh);

	warnings_collect();
	pin_to_nth_cpu(0);
	step_await(&distant, 1);
	ck_assert_int_eq(init_srcu_struct(&fresh), 0);
	srcu_read_unlock(&fresh, srcu_read_lock(&fresh));
	if (!no_filters((int[]){SYS_mmap, SYS_mprotect, -1}, ENOMEM)) {
		step_allow(&distant, 1);
		step_await(&distant, 2);
		if (cpus_allowed() > 1)
			ck_assert_uint_eq(stats_of(&fresh).cpus, 1);
		ck_assert_uint_eq(stats_of(&fresh).readers, 1);
		ck_assert_int_eq(synchronize_srcu_timeout(&fresh, 1000000), -ETIMEDOUT);
		end_domains(made, make_domains(made, MOST));
	}
	step_allow(&distant, 2);
	synchronize_srcu(&fresh);
	assert_callbacks_work(&fresh);
	assert_clean(&fresh);
	thread_join(thread);
}
END_TEST

int main(void)
{
	TCase *begin, *calls, *memory;

	if (getenv(INSIDE))
		return run_inside();
	begin = test_case("begin");
	calls = test_case("calls");
	memory = test_case("memory");
	tcase_add_loop_test(begin, it_works_in_a_program_that_begins_in_a_sandbox, 0, SANDBOXES);
	if (!SANITIZED) {
		tcase_add_test(begin, no_files_are_there_any_more);
		tcase_add_test(calls, futexes_are_refused);
		tcase_add_loop_test(calls, threads_are_refused, 0, 2);
		tcase_add_loop_test(memory, memory_is_scarce_from_the_start, 0, SCARCITIES);
		tcase_add_loop_test(
			memory, no_section_is_missed_where_memory_is_scarce, 0, SCARCITIES);
		tcase_add_loop_test(memory, memory_is_locked_once_a_domain_is_in_use, 0, 2);
		if (!forced("nomemory"))
			tcase_add_test(memory, memory_is_refused_when_a_cpu_turns_up);
	}
	return run_suite("sandboxes", (TCase *[]){begin, calls, memory, NULL});
}
