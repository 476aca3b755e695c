/* SPDX-License-Identifier: MIT */
/*
 * The combining tree: many threads, each of which stands for a CPU of its own,
 * ask for grace periods at once, and the root is troubled by its children only.
 * The library learns how many CPUs to believe in from SRCU_FORCE before main(),
 * so that the program runs itself, once with a tree from the start and once
 * without.
 */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

/* srcu/internal.h */
SRCU_API void srcu_stand_for_cpu_(struct srcu_struct *ssp, unsigned int cpu);

#define CPUS        1024
#define CPUS_FORCED "cpus=1024"
#define LEVELS      3
#define ROOT_FANOUT 4 /* 1024 CPUs have 64 leaves, those 4 parents, those the root */
#define THREADS     (SANITIZED ? 128 : CPUS)
#define SECOND_NS   1000000000u

static struct srcu_struct domain;

static void init(enum srcu_update_side updates)
{
	const struct srcu_options options = {.updates = updates};

	warnings_collect();
	ck_assert_int_eq(init_srcu_struct_with(&domain, &options), 0);
}

static struct srcu_stats stats(void)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	return stats;
}

static void assert_clean(void)
{
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(warnings(), 0);
}

/* A thread that stands for a CPU. */
struct cpu {
	void (*function)(struct cpu *);
	uint64_t timeout_ns;
	unsigned int number;
	int tid;
	int result;
	int finished;
	pthread_t thread;
};

static struct cpu cpus[CPUS];
static pthread_barrier_t start_line;

static void *cpu_run(void *arg)
{
	struct cpu *cpu = arg;

	srcu_stand_for_cpu_(&domain, cpu->number);
	if (!cpu->timeout_ns)
		pthread_barrier_wait(&start_line);
	__atomic_store_n(&cpu->tid, gettid(), __ATOMIC_RELEASE);
	cpu->function(cpu);
	set_flag(&cpu->finished);
	return NULL;
}

static void cpu_start(struct cpu *cpu)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, SANITIZED ? 1 << 20 : 1 << 16);
	ck_assert_int_eq(pthread_create(&cpu->thread, &attributes, cpu_run, cpu), 0);
	pthread_attr_destroy(&attributes);
}

/* All CPUs, or as many as there may be threads, from one end to the other, at once. */
static void start_all(void (*function)(struct cpu *))
{
	pthread_barrier_init(&start_line, NULL, THREADS + 1);
	for (unsigned int i = 0; i < THREADS; i++) {
		cpus[i].number = (i + 1) * (CPUS / THREADS) - 1;
		cpus[i].function = function;
		cpu_start(&cpus[i]);
	}
	pthread_barrier_wait(&start_line);
}

static void join_all(void)
{
	for (unsigned int i = 0; i < THREADS; i++)
		thread_join(cpus[i].thread);
}

static void await_all_asleep(void)
{
	for (unsigned int i = 0; i < THREADS; i++)
		await_asleep(&cpus[i].tid);
}

/* One that begins behind the others, or alone, and waits for so long at most. */
static void start_one(
	struct cpu *cpu, unsigned int number, void (*function)(struct cpu *), uint64_t timeout_ns)
{
	*cpu = (struct cpu){.number = number, .function = function, .timeout_ns = timeout_ns};
	cpu_start(cpu);
}

static void wait_for_ever(struct cpu *cpu)
{
	(void)cpu;
	synchronize_srcu(&domain);
}

static void wait_for_a_while(struct cpu *cpu)
{
	cpu->result = synchronize_srcu_timeout(&domain, cpu->timeout_ns);
}

static void ask_and_poll(struct cpu *cpu)
{
	uint64_t cookie = start_poll_synchronize_srcu(&domain);

	cpu->result = 1;
	while (!poll_state_synchronize_srcu(&domain, cookie))
		sched_yield();
}

static unsigned int asked;

static void only_ask(struct cpu *cpu)
{
	start_poll_synchronize_srcu(&domain);
	__atomic_fetch_add(&asked, 1, __ATOMIC_RELEASE);
	(void)cpu;
}

/*
 * Behind a reader all of them need the grace period under way or the next: those
 * two, and each child of the root once for each.
 */
START_TEST(the_root_is_troubled_by_its_children_only)
{
	struct srcu_stats then;
	int idx;

	init(SRCU_UPDATES_TREE);
	ck_assert_uint_eq(stats().levels, LEVELS);
	idx = srcu_read_lock(&domain);
	start_all(_i ? only_ask : wait_for_ever);
	if (_i)
		join_all();
	else
		await_all_asleep();
	then = stats();
	ck_assert_uint_eq(then.grace_periods, 0);
	ck_assert_uint_eq(then.cpus, CPUS);
	ck_assert_uint_ge(then.root, 1);
	ck_assert_uint_le(then.root, 2 * ROOT_FANOUT);
	srcu_read_unlock(&domain, idx);
	if (_i)
		ck_assert(poll_state_synchronize_srcu(&domain, 2));
	else
		join_all();
	then = stats();
	ck_assert_uint_ge(then.grace_periods, 1);
	ck_assert_uint_le(then.grace_periods, 2);
	ck_assert_uint_le(then.root, 2 * ROOT_FANOUT);
	assert_clean();
}
END_TEST

static void many_times(struct cpu *cpu)
{
	uint64_t state = cpu->number + 1;

	for (int i = 0; i < 20; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		cpu->timeout_ns = state >> 46;
		switch (state >> 62) {
		case 0:
			ask_and_poll(cpu);
			break;
		case 1:
			wait_for_a_while(cpu);
			break;
		case 2:
			wait_for_ever(cpu);
			break;
		default:
			srcu_read_unlock(&domain, srcu_read_lock(&domain));
			break;
		}
	}
}

START_TEST(all_kinds_of_waiting_mix)
{
	struct srcu_stats then;

	init(SRCU_UPDATES_TREE);
	start_all(many_times);
	join_all();
	then = stats();
	ck_assert_uint_le(then.root, 2 * SRCU_FANOUT * (then.grace_periods + 1));
	ck_assert_uint_eq(then.levels, LEVELS);
	assert_clean();
}
END_TEST

/* Of the nodes only the first leaf's word for requests is touched, as if by one on its way. */
START_TEST(a_poll_goes_on_with_a_request_that_is_stuck)
{
	enum { WANTED = 2 };
	uint64_t cookie;

	init(SRCU_UPDATES_TREE);
	cookie = get_state_synchronize_srcu(&domain);
	srcu_stand_for_cpu_(&domain, 512);
	ck_assert(!poll_state_synchronize_srcu(&domain, cookie));
	__atomic_store_n((uint64_t *)domain.tree_ + WANTED, cookie, __ATOMIC_RELAXED);
	ck_assert(poll_state_synchronize_srcu(&domain, cookie));
	assert_clean();
}
END_TEST

/* The same of the word for those who lead. */
START_TEST(a_wait_goes_on_where_nobody_leads)
{
	uint64_t cookie;

	init(SRCU_UPDATES_TREE);
	cookie = get_state_synchronize_srcu(&domain);
	srcu_stand_for_cpu_(&domain, 0);
	__atomic_store_n((uint64_t *)domain.tree_ + cookie % 2, cookie, __ATOMIC_RELAXED);
	synchronize_srcu(&domain);
	ck_assert(poll_state_synchronize_srcu(&domain, cookie));
	assert_clean();
}
END_TEST

/*
 * A leader; one who waits for the next grace period, and stops at the lock; and
 * others who stop behind that one, at each node of its way.  It gives up.
 */
START_TEST(who_stopped_behind_one_who_gives_up_goes_on)
{
	static const unsigned int behind[] = {1, 15, 16, 255, 256, 1023};
	enum { BEHIND = sizeof(behind) / sizeof(behind[0]) };
	struct cpu leader, climber, others[BEHIND];
	int idx;

	init(SRCU_UPDATES_TREE);
	idx = srcu_read_lock(&domain);
	start_one(&leader, 512, wait_for_ever, UINT64_MAX);
	await_asleep(&leader.tid);
	start_one(&climber, 0, wait_for_a_while, SECOND_NS / 2);
	await_asleep(&climber.tid);
	for (unsigned int i = 0; i < BEHIND; i++) {
		start_one(&others[i], behind[i], _i ? wait_for_a_while : wait_for_ever,
			_i ? 1000 * (uint64_t)SECOND_NS : UINT64_MAX);
		await_asleep(&others[i].tid);
	}
	thread_join(climber.thread);
	ck_assert_int_eq(climber.result, -ETIMEDOUT);
	for (unsigned int i = 0; i < BEHIND; i++)
		ck_assert(!flag_set(&others[i].finished));
	srcu_read_unlock(&domain, idx);
	thread_join(leader.thread);
	for (unsigned int i = 0; i < BEHIND; i++) {
		thread_join(others[i].thread);
		ck_assert_int_eq(others[i].result, 0);
	}
	ck_assert_uint_eq(stats().grace_periods, 2);
	assert_clean();
}
END_TEST

/* Who stops at a node has a deadline too, and its going harms nobody. */
START_TEST(who_stopped_may_give_up)
{
	struct cpu leader, climber, sleeper;
	int idx;

	init(SRCU_UPDATES_TREE);
	idx = srcu_read_lock(&domain);
	start_one(&leader, 512, wait_for_ever, UINT64_MAX);
	await_asleep(&leader.tid);
	start_one(&climber, 0, wait_for_ever, UINT64_MAX);
	await_asleep(&climber.tid);
	start_one(&sleeper, 1, wait_for_a_while, SECOND_NS / 10);
	thread_join(sleeper.thread);
	ck_assert_int_eq(sleeper.result, -ETIMEDOUT);
	ck_assert(!flag_set(&climber.finished));
	srcu_read_unlock(&domain, idx);
	thread_join(leader.thread);
	thread_join(climber.thread);
	assert_clean();
}
END_TEST

/* The leader gives up itself: one of those who waited for it leads in its place. */
START_TEST(a_leader_that_gives_up_is_replaced)
{
	struct cpu leader, others[8];
	int idx;

	init(SRCU_UPDATES_TREE);
	idx = srcu_read_lock(&domain);
	start_one(&leader, 0, wait_for_a_while, SECOND_NS / 4);
	await_asleep(&leader.tid);
	for (unsigned int i = 0; i < 8; i++) {
		start_one(&others[i], i * (CPUS / 8) + 1, wait_for_ever, UINT64_MAX);
		await_asleep(&others[i].tid);
	}
	thread_join(leader.thread);
	ck_assert_int_eq(leader.result, -ETIMEDOUT);
	srcu_read_unlock(&domain, idx);
	for (unsigned int i = 0; i < 8; i++)
		thread_join(others[i].thread);
	assert_clean();
}
END_TEST

/* In the run without a tree from the start. */
START_TEST(only_contention_grows_a_tree)
{
	bool classic = _i || forced("classic");
	struct srcu_stats then;
	int idx;

	init(_i ? SRCU_UPDATES_CLASSIC : SRCU_UPDATES_TREE);
	for (int i = 0; i < 100; i++)
		synchronize_srcu(&domain);
	ck_assert_uint_eq(stats().levels, 0);
	idx = srcu_read_lock(&domain);
	start_all(wait_for_ever);
	await_all_asleep();
	ck_assert_uint_eq(stats().levels, classic ? 0 : LEVELS);
	srcu_read_unlock(&domain, idx);
	join_all();
	start_all(many_times);
	join_all();
	then = stats();
	ck_assert_uint_eq(then.levels, classic ? 0 : LEVELS);
	ck_assert(classic ? !then.root : then.root);
	ck_assert_uint_eq(then.cpus, CPUS);
	assert_clean();
}
END_TEST

/* This program once more, on a simulated machine. */
static bool succeeds_with(char *program, const char *force)
{
	const char *before = getenv("SRCU_FORCE");
	char *argv[] = {program, NULL}, value[200];
	int status = -1;
	pid_t pid;

	snprintf(value, sizeof(value), "%s,%s", before ? before : "", force);
	setenv("SRCU_FORCE", value, 1);
	if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ) ||
		waitpid(pid, &status, 0) != pid)
		perror(program);
	if (before)
		setenv("SRCU_FORCE", before, 1);
	else
		unsetenv("SRCU_FORCE");
	return status == 0;
}

static void add_tree_tests(TCase *tree)
{
	tcase_add_loop_test(tree, the_root_is_troubled_by_its_children_only, 0, 2);
	tcase_add_test(tree, all_kinds_of_waiting_mix);
	tcase_add_test(tree, a_poll_goes_on_with_a_request_that_is_stuck);
	tcase_add_test(tree, a_wait_goes_on_where_nobody_leads);
	tcase_add_loop_test(tree, who_stopped_behind_one_who_gives_up_goes_on, 0, 2);
	tcase_add_test(tree, who_stopped_may_give_up);
	tcase_add_test(tree, a_leader_that_gives_up_is_replaced);
}

int main(int argc, char **argv)
{
	TCase *tree = test_case("tree");
	TCase *cases[] = {tree, NULL};

	(void)argc;
	if (forced("nomemory"))
		return EXIT_SUCCESS; /* there is never a tree */
	if (!forced(CPUS_FORCED)) {
		bool small = forced("tree") || succeeds_with(argv[0], CPUS_FORCED);
		bool big = forced("classic") || succeeds_with(argv[0], "tree," CPUS_FORCED);

		return small && big ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	if (forced("tree"))
		add_tree_tests(tree);
	else
		tcase_add_loop_test(tree, only_contention_grows_a_tree, 0, 2);
	return run_suite("combining tree", cases);
}
