/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of SEQCOUNT_DEBUG: each misuse ends the program with a report that names
 * the line, and what is right goes without one.
 */
#define SEQCOUNT_DEBUG

#include "test/seqcount-test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <seqcount/seqlock.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spinlock;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static seqcount_t plain = SEQCNT_ZERO(plain);
static seqcount64_t wide = SEQCNT64_ZERO(wide);
static seqcount_mutex_t with_mutex = SEQCNT_MUTEX_ZERO(with_mutex, &mutex);
static seqcount_spinlock_t with_spinlock = SEQCNT_SPINLOCK_ZERO(with_spinlock, &spinlock);
static seqcount_rwlock_t with_rwlock = SEQCNT_RWLOCK_ZERO(with_rwlock, &rwlock);
static seqcount_latch_t latch = SEQCNT_LATCH_ZERO(latch);
static DEFINE_SEQLOCK(seqlock);

static void mutex_not_held(void)
{
	write_seqcount_begin(&with_mutex);
}

static void *hold_mutex(void *arg)
{
	pthread_mutex_lock(&mutex);
	return arg;
}

static void mutex_held_by_another(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, hold_mutex, NULL) == 0)
		pthread_join(thread, NULL);
	write_seqcount_begin(&with_mutex);
}

static void mutex_dropped_too_early(void)
{
	pthread_mutex_lock(&mutex);
	write_seqcount_begin(&with_mutex);
	pthread_mutex_unlock(&mutex);
	write_seqcount_end(&with_mutex);
}

static void spinlock_not_held(void)
{
	write_seqcount_begin(&with_spinlock);
}

static void rwlock_not_held(void)
{
	write_seqcount_begin(&with_rwlock);
}

static void rwlock_held_for_reading(void)
{
	pthread_rwlock_rdlock(&rwlock);
	write_seqcount_begin_nested(&with_rwlock, 1);
}

static void write_in_a_write(void)
{
	write_seqcount_begin(&plain);
	write_seqcount_begin(&plain);
}

static void write_after_a_death(void)
{
	wide.sequence_ = 1;
	write_seqcount_begin(&wide);
}

static void end_without_begin(void)
{
	write_seqcount_end(&wide);
}

static void latch_out_of_turn(void)
{
	write_seqcount_latch(&latch);
}

static void latch_begun_twice(void)
{
	write_seqcount_latch_begin(&latch);
	write_seqcount_latch_begin(&latch);
}

static void latch_left_half_way(void)
{
	write_seqcount_latch_begin(&latch);
	write_seqcount_latch_end(&latch);
}

static void seqlock_taken_twice(void)
{
	write_seqlock(&seqlock);
	read_seqlock_excl(&seqlock);
}

static void seqlock_dropped_by_none(void)
{
	read_sequnlock_excl(&seqlock);
}

static void seqlock_write_that_was_a_read(void)
{
	read_seqlock_excl(&seqlock);
	write_sequnlock(&seqlock);
}

static const struct misuse {
	void (*body)(void);
	const char *report;
} misuses[] = {
	{mutex_not_held, "begins without its lock"},
	{mutex_held_by_another, "begins without its lock"},
	{mutex_dropped_too_early, "ends without its lock"},
	{spinlock_not_held, "begins without its lock"},
	{rwlock_not_held, "begins without its lock"},
	{rwlock_held_for_reading, "begins without its lock"},
	{write_in_a_write, "begins inside another"},
	{write_after_a_death, "begins inside another"},
	{end_without_begin, "did not begin"},
	{latch_out_of_turn, "mixed up"},
	{latch_begun_twice, "mixed up"},
	{latch_left_half_way, "mixed up"},
	{seqlock_taken_twice, "takes a lock again"},
	{seqlock_dropped_by_none, "not held"},
	{seqlock_write_that_was_a_read, "did not begin"},
};
#define MISUSES (int)(sizeof(misuses) / sizeof(misuses[0]))

/* What a child that runs @body writes on stderr, and how it ends. */
static int run_child(void (*body)(void), char *output, size_t size)
{
	FILE *file = tmpfile();
	size_t length;
	int status;
	pid_t pid;

	ck_assert_ptr_nonnull(file);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		const struct rlimit no_core = {0, 0};

		setrlimit(RLIMIT_CORE, &no_core);
		dup2(fileno(file), STDERR_FILENO);
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	rewind(file);
	length = fread(output, 1, size - 1, file);
	output[length] = '\0';
	fclose(file);
	return status;
}

START_TEST(misuse_is_reported)
{
	char output[4096];
	int status;

	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	status = run_child(misuses[_i].body, output, sizeof(output));
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	ck_assert_msg(strstr(output, misuses[_i].report) != NULL, "%s", output);
	ck_assert_msg(strstr(output, "seqcount-debug.c:") != NULL, "%s", output);
}
END_TEST

static void write_as_one_should(void)
{
	pthread_mutex_lock(&mutex);
	write_seqcount_begin(&with_mutex);
	write_seqcount_end(&with_mutex);
	pthread_mutex_unlock(&mutex);
	pthread_spin_lock(&spinlock);
	write_seqcount_begin(&with_spinlock);
	write_seqcount_end(&with_spinlock);
	pthread_spin_unlock(&spinlock);
	pthread_rwlock_wrlock(&rwlock);
	write_seqcount_begin(&with_rwlock);
	write_seqcount_end(&with_rwlock);
	pthread_rwlock_unlock(&rwlock);
}

static void *die_in_a_write(void *arg)
{
	pthread_mutex_lock(&mutex);
	write_seqcount_begin(&with_mutex);
	return arg;
}

/* The mutex is made consistent after the data are. */
static void recover_as_one_should(void)
{
	pthread_mutexattr_t robust;
	pthread_t thread;

	pthread_mutexattr_init(&robust);
	pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &robust);
	if (pthread_create(&thread, NULL, die_in_a_write, NULL) == 0)
		pthread_join(thread, NULL);
	if (pthread_mutex_lock(&mutex) != EOWNERDEAD || !write_seqcount_recover(&with_mutex))
		_exit(1);
	write_seqcount_end(&with_mutex);
	pthread_mutex_consistent(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void use_as_one_should(void)
{
	unsigned int start;

	write_as_one_should();
	write_as_one_should();
	write_seqcount_begin(&plain);
	write_seqcount_recover(&plain);
	write_seqcount_end(&plain);
	start = read_seqcount_begin(&plain);
	write_seqcount_invalidate(&plain);
	raw_write_seqcount_barrier(&plain);
	if (!read_seqcount_retry(&plain, start))
		_exit(1);
	raw_write_seqcount_begin(&with_mutex);
	raw_write_seqcount_end(&with_mutex);
	write_seqcount_latch_begin(&latch);
	write_seqcount_latch(&latch);
	write_seqcount_latch_end(&latch);
	write_seqlock(&seqlock);
	write_sequnlock(&seqlock);
	read_seqlock_excl(&seqlock);
	read_sequnlock_excl(&seqlock);
}

START_TEST(right_use_is_silent)
{
	char output[4096];

	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	ck_assert_int_eq(run_child(use_as_one_should, output, sizeof(output)), 0);
	ck_assert_str_eq(output, "");
	ck_assert_int_eq(run_child(recover_as_one_should, output, sizeof(output)), 0);
	ck_assert_str_eq(output, "");
}
END_TEST

TCase *seqcount_debug_case(void)
{
	TCase *tc = tcase_create("debug");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, misuse_is_reported, 0, MISUSES);
	tcase_add_test(tc, right_use_is_silent);
	return tc;
}
