/* SPDX-License-Identifier: MIT */
/*
 * Tests of a counter in memory that processes share, each at an address of its own,
 * beside a robust mutex: writers are killed at every step of a write, and readers and
 * other writers go on.
 */
#include "test/seqcount-test.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <seqcount/seqcount.h>

#define WORDS      8
#define TRIES      3
#define LAST_STEP  (WORDS + 3)
#define RECOVERIES 20u

struct shared {
	pthread_mutex_t mutex;
	seqcount_t seq;
	uint64_t word[WORDS]; /* all equal between writes */
	unsigned int writes;
	unsigned int recoveries;
	unsigned int reads;
	unsigned int torn;
	bool over;
};

/* Two views of the same memory. */
static struct shared *here;
static struct shared *there;

static void share_memory(void)
{
	int fd = memfd_create("seqcount", 0);
	pthread_mutexattr_t attributes;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, sizeof(*here)), 0);
	here = mmap(NULL, sizeof(*here), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	there = mmap(NULL, sizeof(*here), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(here != MAP_FAILED && there != MAP_FAILED && here != there);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&here->mutex, &attributes);
	seqcount_init(&here->seq);
}

static void die_at(int step, int last)
{
	if (step == last)
		raise(SIGKILL);
}

/* After a write that died: the data as a whole. */
static void make_good(struct shared *s)
{
	uint64_t next = __atomic_add_fetch(&s->recoveries, 1, __ATOMIC_RELAXED) + UINT64_C(1000000);
	int i;

	for (i = 0; i < WORDS; i++)
		seqcount_set(s->word[i], next);
	write_seqcount_end(&s->seq);
}

static void lock(struct shared *s)
{
	int error = pthread_mutex_lock(&s->mutex);

	if (write_seqcount_recover(&s->seq))
		make_good(s);
	if (error == EOWNERDEAD)
		pthread_mutex_consistent(&s->mutex);
}

/* Is killed at @last, unless that is beyond the end. */
static void write_until(struct shared *s, uint64_t value, int last)
{
	int step = 0;
	int i;

	lock(s);
	die_at(step++, last);
	write_seqcount_begin(&s->seq);
	die_at(step++, last);
	for (i = 0; i < WORDS; i++) {
		seqcount_set(s->word[i], value);
		die_at(step++, last);
	}
	write_seqcount_end(&s->seq);
	die_at(step++, last);
	pthread_mutex_unlock(&s->mutex);
	die_at(step, last);
}

static bool try_to_read(struct shared *s, uint64_t *copy)
{
	unsigned int start;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (!raw_seqcount_try_begin(&s->seq, start))
			continue;
		seqcount_load(copy, s->word, sizeof(s->word));
		if (!read_seqcount_retry(&s->seq, start))
			return true;
	}
	return false;
}

/* A bounded reader: so many tries, then the lock, under which plain reads will do. */
static void read_all(struct shared *s, uint64_t *copy)
{
	int i;

	if (try_to_read(s, copy))
		return;
	lock(s);
	for (i = 0; i < WORDS; i++)
		copy[i] = s->word[i];
	pthread_mutex_unlock(&s->mutex);
}

static bool is_whole(const uint64_t *copy)
{
	int i;

	for (i = 1; i < WORDS; i++) {
		if (copy[i] != copy[0])
			return false;
	}
	return true;
}

static pid_t writer_killed_at(int step)
{
	pid_t pid = fork();

	if (pid == 0) {
		write_until(there, 2, step);
		_exit(0);
	}
	return pid;
}

START_TEST(writer_killed_at_each_step)
{
	bool in_the_write = _i >= 1 && _i <= WORDS + 1;
	uint64_t copy[WORDS];
	unsigned int begun;
	unsigned int start;
	int status;
	pid_t pid;

	share_memory();
	write_until(here, 1, -1);
	begun = read_seqcount_begin(&here->seq);
	pid = writer_killed_at(_i);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

	/* Detected: no reader takes what is half written. */
	ck_assert(read_seqcount_retry(&here->seq, begun) == (_i >= 1));
	ck_assert(raw_seqcount_try_begin(&here->seq, start) == !in_the_write);
	ck_assert(try_to_read(here, copy) == !in_the_write);

	/* Recovered: by a reader, and just once. */
	read_all(here, copy);
	ck_assert(is_whole(copy));
	ck_assert_uint_eq(here->recoveries, in_the_write);
	ck_assert(copy[0] == (in_the_write ? 1000001u : _i == 0 ? 1u : 2u));
	ck_assert(read_seqcount_retry(&here->seq, begun) == (_i >= 1));
	write_until(here, 3, -1);
	ck_assert(try_to_read(here, copy));
	ck_assert(is_whole(copy) && copy[0] == 3);
	ck_assert_uint_eq(here->recoveries, in_the_write);
}
END_TEST

static void write_for_ever(struct shared *s)
{
	for (;;) {
		unsigned int n = __atomic_add_fetch(&s->writes, 1, __ATOMIC_RELAXED);

		write_until(s, n, -1);
	}
}

static void read_until_over(struct shared *s)
{
	while (!__atomic_load_n(&s->over, __ATOMIC_RELAXED)) {
		uint64_t copy[WORDS];

		read_all(s, copy);
		if (!is_whole(copy))
			__atomic_fetch_add(&s->torn, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&s->reads, 1, __ATOMIC_RELAXED);
	}
}

static pid_t start_process(void (*body)(struct shared *))
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		body(there);
		_exit(0);
	}
	return pid;
}

static void await_more(const unsigned int *counter, unsigned int more)
{
	unsigned int before = __atomic_load_n(counter, __ATOMIC_RELAXED);

	while (__atomic_load_n(counter, __ATOMIC_RELAXED) - before < more)
		sched_yield();
}

/*
 * Killed wherever they happen to be, until enough of them died in a write.  There is
 * one at a time: where three contend, and one dies that was just woken for its turn,
 * a robust mutex may forget another that sleeps.
 */
START_TEST(writers_killed_anywhere)
{
	pid_t reader;
	unsigned int round;

	share_memory();
	reader = start_process(read_until_over);
	for (round = 0; __atomic_load_n(&here->recoveries, __ATOMIC_RELAXED) < RECOVERIES;
		round++) {
		pid_t writer = start_process(write_for_ever);

		await_more(&here->writes, 20 + round % 7);
		ck_assert_int_eq(kill(writer, SIGKILL), 0);
		ck_assert_int_eq(waitpid(writer, NULL, 0), writer);
		await_more(&here->reads, 2);
	}
	__atomic_store_n(&here->over, true, __ATOMIC_RELAXED);
	ck_assert_int_eq(waitpid(reader, NULL, 0), reader);
	ck_assert_uint_eq(here->torn, 0);
}
END_TEST

TCase *seqcount_shared_case(void)
{
	TCase *tc = tcase_create("shared");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, writer_killed_at_each_step, 0, LAST_STEP + 1);
	tcase_add_test(tc, writers_killed_anywhere);
	return tc;
}
