/* SPDX-License-Identifier: MIT */
/*
 * Surroundings that break restartable sequences and barriers: child processes
 * that share memory while signals rain, and a sandbox that forbids membarrier
 * while a reader is inside; and the hunt for a reader that sees freed memory.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"

extern char **environ;

DEFINE_STATIC_SRCU(domain);

static void read_in_handler(void)
{
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
}

START_TEST(children_are_spawned_under_a_signal_storm)
{
	char *const argv[] = {(char *)"true", NULL};
	struct srcu_stats stats;
	struct storm storm;
	int status;
	pid_t pid;

	warnings_collect();
	storm_start(&storm, SIGRTMIN, read_in_handler);
	for (int i = 0; i < 8; i++) {
		int idx = srcu_read_lock(&domain);

		ck_assert_int_eq(posix_spawnp(&pid, "true", NULL, NULL, argv, environ), 0);
		srcu_read_unlock(&domain, idx);
		while (waitpid(pid, &status, 0) < 0)
			ck_assert_int_eq(errno, EINTR);
		ck_assert_int_eq(status, 0);
		ck_assert_int_eq(system("true"), 0);
	}
	storm_stop(&storm);
	ck_assert_uint_gt(storm_handled(), 0);
	srcu_get_stats(&domain, &stats);
	ck_assert_uint_eq(stats.readers, 0);
	synchronize_srcu(&domain);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

/* From here on membarrier() answers EPERM, in all threads. */
static bool forbid_membarrier(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) ==
		       0;
}

struct reader {
	struct stepper stepper;
};

static void *read_through_it(void *arg)
{
	struct reader *reader = arg;
	int idx = srcu_read_lock(&domain);

	step_pause(&reader->stepper, 1);
	srcu_read_unlock(&domain, idx);
	return NULL;
}

static void *wait_for_it(void *arg)
{
	synchronize_srcu(&domain);
	set_flag(arg);
	return NULL;
}

START_TEST(membarrier_is_forbidden_while_a_reader_is_inside)
{
	struct reader reader = {STEPPER_INIT};
	struct srcu_stats stats;
	pthread_t thread, waiter;
	int returned = 0;

	warnings_collect();
	thread = thread_start(read_through_it, &reader);
	step_await(&reader.stepper, 1);
	srcu_get_stats(&domain, &stats);
	if (!forbid_membarrier() || stats.barrier == SRCU_BARRIER_FENCES) {
		step_allow(&reader.stepper, 1);
		thread_join(thread);
		return;
	}
	waiter = thread_start(wait_for_it, &returned);
	do {
		sched_yield();
		srcu_get_stats(&domain, &stats);
	} while (stats.barrier != SRCU_BARRIER_WALK);
	for (int i = 0; i < 2000; i++)
		sched_yield();
	ck_assert_msg(!flag_set(&returned), "the grace period ended too early");
	step_allow(&reader.stepper, 1);
	await_flag(&returned);
	thread_join(waiter);
	thread_join(thread);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

/* Readers follow a pointer; what a grace period has passed over is poisoned. */
#define POISON   0xdeadu
#define ELEMENTS 8

static struct element {
	unsigned int value;
} elements[ELEMENTS];

static struct element *current;
static int hunt_over;
static uint64_t poisoned, hunted;

static void look(void)
{
	struct srcu_ctr *ctr = srcu_read_lock_fast(&domain);
	struct element *element = srcu_dereference(current, &domain);

	for (int i = 0; i < 5; i++)
		if (__atomic_load_n(&element->value, __ATOMIC_RELAXED) == POISON)
			__atomic_fetch_add(&poisoned, 1, __ATOMIC_RELAXED);
	srcu_read_unlock_fast(&domain, ctr);
}

static void *hunt(void *arg)
{
	while (!flag_set(&hunt_over)) {
		look();
		__atomic_fetch_add(&hunted, 1, __ATOMIC_RELAXED);
	}
	return arg;
}

static uint64_t hunt_with(void (*wait_for_readers)(struct srcu_struct *))
{
	struct storm storm;
	pthread_t threads[2];

	srcu_assign_pointer(current, &elements[0]);
	for (int i = 0; i < 2; i++)
		threads[i] = thread_start(hunt, NULL);
	storm_start(&storm, SIGRTMIN, look);
	for (unsigned int i = 1; i < 2000 || __atomic_load_n(&hunted, __ATOMIC_RELAXED) < 10000;
		i++) {
		struct element *old = current, *new = &elements[i % ELEMENTS];

		__atomic_store_n(&new->value, i % POISON, __ATOMIC_RELAXED);
		srcu_assign_pointer(current, new);
		wait_for_readers(&domain);
		__atomic_store_n(&old->value, POISON, __ATOMIC_RELAXED);
		if (__atomic_load_n(&poisoned, __ATOMIC_RELAXED))
			break;
	}
	storm_stop(&storm);
	set_flag(&hunt_over);
	for (int i = 0; i < 2; i++)
		thread_join(threads[i]);
	return poisoned;
}

static void synchronize_normal(struct srcu_struct *ssp)
{
	synchronize_srcu(ssp);
}

START_TEST(no_reader_sees_what_was_freed)
{
	ck_assert_uint_eq(hunt_with(synchronize_normal), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

static void do_not_wait(struct srcu_struct *ssp)
{
	(void)ssp;
}

/* The hunt itself must be able to catch something. */
START_TEST(the_hunt_catches_a_missing_grace_period)
{
	for (int i = 0; i < 1000 && !poisoned; i++) {
		__atomic_store_n(&hunt_over, 0, __ATOMIC_RELAXED);
		hunt_with(do_not_wait);
	}
	ck_assert_uint_gt(poisoned, 0);
}
END_TEST

int main(void)
{
	TCase *children = test_case("children"), *sandbox = test_case("sandbox");
	TCase *reclaim = test_case("reclaim");
	TCase *cases[] = {children, sandbox, reclaim, NULL};

	tcase_add_test(children, children_are_spawned_under_a_signal_storm);
	tcase_add_test(sandbox, membarrier_is_forbidden_while_a_reader_is_inside);
	tcase_add_test(reclaim, no_reader_sees_what_was_freed);
	tcase_add_test(reclaim, the_hunt_catches_a_missing_grace_period);
	return run_suite("hostile surroundings", cases);
}
