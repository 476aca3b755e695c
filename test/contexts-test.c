/* SPDX-License-Identifier: MIT */
/*
 * The table of srcu(7): every function that is called on a domain, in a signal
 * handler, inside a section of the domain, inside a callback of it, in the child
 * of a fork, and after the domain was cleaned up.  What may be called in a handler
 * keeps errno, wherever it is called.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <srcu/notifier.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "items.h"

#define FOREIGN_ERRNO 1234

enum context { HANDLER, SECTION, CALLBACK, CHILD, ENDED, CONTEXTS };

static struct srcu_struct domain, other;
static struct item item;
static unsigned int reports;

/* A handler that does what a handler must not do: the library puts errno right. */
static void count_report(const struct srcu_struct *ssp, const char *message)
{
	(void)ssp;
	(void)message;
	errno = EDOM;
	__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED);
}

static long use_section(void)
{
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	return 0;
}

static long use_section_fast(void)
{
	srcu_read_unlock_fast(&domain, srcu_read_lock_fast(&domain));
	return 0;
}

static long use_handed_section(void)
{
	srcu_up_read(&domain, srcu_down_read(&domain));
	srcu_up_read_fast(&domain, srcu_down_read_fast(&domain));
	return 0;
}

static long use_call(void)
{
	return call_srcu(&domain, &item.head, note);
}

static long use_get_state(void)
{
	return get_state_synchronize_srcu(&domain) != get_completed_synchronize_srcu();
}

static long use_start_poll(void)
{
	return start_poll_synchronize_srcu(&domain) != get_completed_synchronize_srcu();
}

static uint64_t cookie;

static long use_poll(void)
{
	return poll_state_synchronize_srcu(&domain, cookie);
}

static long use_expedite(void)
{
	srcu_expedite_current(&domain);
	return 0;
}

static long use_batches(void)
{
	return srcu_batches_completed(&domain) > 0;
}

static long use_stats(void)
{
	struct srcu_stats stats;

	return srcu_get_stats(&domain, &stats);
}

static long use_synchronize(void)
{
	synchronize_srcu(&domain);
	return 0;
}

static long use_expedited(void)
{
	synchronize_srcu_expedited(&domain);
	return 0;
}

static long use_timeout(void)
{
	return synchronize_srcu_timeout(&domain, 0);
}

static long use_cond(void)
{
	cond_synchronize_srcu(&domain, get_state_synchronize_srcu(&domain));
	return 0;
}

static long use_cond_done(void)
{
	cond_synchronize_srcu(&domain, get_completed_synchronize_srcu());
	return 0;
}

static long use_barrier(void)
{
	return srcu_barrier(&domain);
}

static long use_run(void)
{
	call_srcu(&domain, &item.head, note);
	return (long)srcu_run_callbacks(&domain, UINT64_MAX);
}

static long use_start(void)
{
	return srcu_start_callbacks();
}

static long use_other(void)
{
	int error = init_srcu_struct(&other);

	return error ? error : cleanup_srcu_struct(&other);
}

static long use_init(void)
{
	return init_srcu_struct(&domain);
}

static long use_cleanup(void)
{
	return cleanup_srcu_struct(&domain);
}

static long use_set_handler(void)
{
	return srcu_set_warn_handler(count_report) == count_report;
}

static long use_debug(void)
{
	return srcu_debug(&domain, 0);
}

static long use_held(void)
{
	int idx = srcu_read_lock_nmisafe(&domain), idx2 = srcu_read_lock_notrace(&domain);
	struct srcu_stats stats;
	/* After the end it depends on whether the domain was in debug mode. */
	long held = srcu_read_lock_held(&domain) || srcu_get_stats(&domain, &stats);

	srcu_read_unlock_notrace(&domain, idx2);
	srcu_read_unlock_nmisafe(&domain, idx);
	return held;
}

static long use_dump(void)
{
	static char text[4096];
	FILE *to = fmemopen(text, sizeof(text), "w");

	srcu_dump(to);
	return to ? fclose(to) : -1;
}

/* What may be expected in one context. */
struct cell {
	bool allowed;
	long value;
	unsigned int reports;
};

#define NO                  \
	{                   \
		false, 0, 0 \
	}
#define IS(value)              \
	{                      \
		true, value, 0 \
	}
#define WARNS(value, reports)        \
	{                            \
		true, value, reports \
	}

static const struct row {
	const char *name;
	long (*use)(void);
	struct cell cells[CONTEXTS];
} rows[] = {
	{"read_lock", use_section, {IS(0), IS(0), IS(0), IS(0), WARNS(0, 2)}},
	{"read_lock_fast", use_section_fast, {IS(0), IS(0), IS(0), IS(0), WARNS(0, 2)}},
	{"down_read", use_handed_section, {IS(0), IS(0), IS(0), IS(0), WARNS(0, 4)}},
	{"call", use_call, {IS(0), IS(0), IS(0), IS(0), WARNS(-EINVAL, 1)}},
	{"get_state", use_get_state, {IS(1), IS(1), IS(1), IS(1), WARNS(0, 1)}},
	{"start_poll", use_start_poll, {IS(1), IS(1), IS(1), IS(1), WARNS(0, 1)}},
	{"poll_state", use_poll, {IS(1), IS(0), IS(1), IS(1), WARNS(0, 1)}},
	{"expedite_current", use_expedite, {IS(0), IS(0), IS(0), IS(0), WARNS(0, 1)}},
	{"batches_completed", use_batches, {IS(1), IS(1), IS(1), IS(1), WARNS(0, 1)}},
	{"get_stats", use_stats, {IS(0), IS(0), IS(0), IS(0), IS(-EINVAL)}},
	{"set_warn_handler", use_set_handler, {IS(1), IS(1), IS(1), IS(1), IS(1)}},
	{"held", use_held, {IS(1), IS(1), IS(1), IS(1), WARNS(1, 4)}},
	{"debug", use_debug, {NO, IS(0), IS(0), IS(0), WARNS(-EINVAL, 1)}},
	{"dump", use_dump, {NO, IS(0), IS(0), IS(0), IS(0)}},
	{"synchronize", use_synchronize, {NO, NO, IS(0), IS(0), WARNS(0, 1)}},
	{"expedited", use_expedited, {NO, NO, IS(0), IS(0), WARNS(0, 1)}},
	{"timeout", use_timeout, {NO, IS(-ETIMEDOUT), IS(0), IS(0), WARNS(-EINVAL, 1)}},
	{"cond", use_cond, {NO, NO, IS(0), IS(0), WARNS(0, 2)}},
	{"cond, done", use_cond_done, {NO, IS(0), IS(0), IS(0), WARNS(0, 1)}},
	{"barrier", use_barrier, {NO, IS(0), IS(-EDEADLK), IS(0), WARNS(-EINVAL, 1)}},
	{"run_callbacks", use_run, {NO, IS(0), IS(0), IS(1), WARNS(0, 2)}},
	{"start_callbacks", use_start, {NO, IS(0), IS(0), IS(0), IS(0)}},
	{"cleanup", use_cleanup,
		{NO, WARNS(-EBUSY, 1), WARNS(-EBUSY, 1), IS(0), WARNS(-EINVAL, 1)}},
	/* From here on with memory only. */
	{"init of another", use_other, {NO, IS(0), IS(0), IS(0), IS(0)}},
	{"init", use_init, {NO, NO, NO, NO, IS(0)}},
};

#define ROWS             ((int)(sizeof(rows) / sizeof(rows[0])))
#define ROWS_WITH_MEMORY 2

static const struct row *row;
static long value;
static int errno_after;

static void use(void)
{
	errno = FOREIGN_ERRNO;
	value = row->use();
	errno_after = errno;
}

/* Was it as the table has it?  Says what was not. */
static bool as_expected(enum context context)
{
	const struct cell *cell = &row->cells[context];
	bool keeps_errno = row->cells[HANDLER].allowed;

	if (value == cell->value && reports == cell->reports &&
		(!keeps_errno || errno_after == FOREIGN_ERRNO))
		return true;
	fprintf(stderr, "%s, context %d: %ld, %u report(s), errno %d\n", row->name, (int)context,
		value, reports, errno_after);
	return false;
}

static void use_in_handler(int signal)
{
	(void)signal;
	use();
}

static void use_in_callback(struct srcu_head *head)
{
	(void)head;
	use();
}

static void run_in_handler(void)
{
	struct sigaction action = {.sa_handler = use_in_handler};

	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	ck_assert_int_eq(raise(SIGUSR1), 0);
}

static void run_in_section(void)
{
	int idx = srcu_read_lock(&domain);

	cookie = start_poll_synchronize_srcu(&domain);
	use();
	srcu_read_unlock(&domain, idx);
}

static void run_in_callback(void)
{
	static struct srcu_head head;

	ck_assert_int_eq(call_srcu(&domain, &head, use_in_callback), 0);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
}

/* A section and a grace period that the child has no part in. */
static void *stay_inside(void *arg)
{
	struct stepper *stepper = arg;
	int idx = srcu_read_lock(&domain);

	step_pause(stepper, 1);
	srcu_read_unlock(&domain, idx);
	return NULL;
}

static void *lead(void *arg)
{
	synchronize_srcu(&domain);
	return arg;
}

static void run_in_child(void)
{
	static struct stepper stepper = STEPPER_INIT;
	pthread_t reader = thread_start(stay_inside, &stepper), leader;
	int idx = srcu_read_lock(&domain), status;
	pid_t child;

	step_await(&stepper, 1);
	leader = thread_start(lead, NULL);
	while (!__atomic_load_n(&domain.gp_lock_, __ATOMIC_RELAXED))
		sched_yield();
	child = fork();
	if (!child) {
		alarm(WATCHDOG_S);
		srcu_read_unlock(&domain, idx);
		cookie = start_poll_synchronize_srcu(&domain);
		use();
		_exit(as_expected(CHILD) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	step_allow(&stepper, 1);
	thread_join(reader);
	srcu_read_unlock(&domain, idx);
	thread_join(leader);
}

static void run_after_cleanup(void)
{
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	use();
}

static void (*const run_in[CONTEXTS])(void) = {
	run_in_handler, run_in_section, run_in_callback, run_in_child, run_after_cleanup};

/* A cookie that the next poll will make done. */
static uint64_t unfinished(void)
{
	int idx = srcu_read_lock(&domain);
	uint64_t started = start_poll_synchronize_srcu(&domain);

	srcu_read_unlock(&domain, idx);
	ck_assert_uint_gt(started, srcu_batches_completed(&domain));
	return started;
}

static void try_row(enum context context)
{
	if (!row->cells[context].allowed)
		return;
	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	srcu_set_warn_handler(count_report);
	synchronize_srcu(&domain);
	cookie = unfinished();
	run_in[context]();
	ck_assert(context == CHILD || as_expected(context));
	/* What was begun in the section or the callback comes to its end. */
	if (context != ENDED) {
		ck_assert_int_eq(srcu_barrier(&domain), 0);
		ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	}
}

START_TEST(in_a_handler)
{
	row = &rows[_i];
	try_row(HANDLER);
}
END_TEST

START_TEST(in_a_section)
{
	row = &rows[_i];
	try_row(SECTION);
}
END_TEST

START_TEST(in_a_callback)
{
	row = &rows[_i];
	try_row(CALLBACK);
}
END_TEST

START_TEST(in_a_child)
{
	row = &rows[_i];
	try_row(CHILD);
}
END_TEST

START_TEST(after_cleanup)
{
	row = &rows[_i];
	try_row(ENDED);
}
END_TEST

/* Notifier chains and per-CPU objects have no domain of the caller's. */
static int seen(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	(void)action;
	++*(int *)data;
	return NOTIFY_OK;
}

SRCU_NOTIFIER_HEAD_STATIC(chain);
static struct notifier_block block_of_chain = {.notifier_call = seen};
static uint64_t *counter;
static int calls;

static void call_and_count(int signal)
{
	(void)signal;
	errno = FOREIGN_ERRNO;
	srcu_notifier_call_chain(&chain, 0, &calls);
	this_cpu_inc(*counter);
	errno_after = errno;
}

START_TEST(chains_and_counters_in_handler_and_child)
{
	struct sigaction action = {.sa_handler = call_and_count};
	struct notifier_block second = {.notifier_call = seen};
	int status;
	pid_t child;

	counter = alloc_percpu(uint64_t);
	if (!counter)
		return; /* forced */
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &block_of_chain), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(errno_after, FOREIGN_ERRNO);
	ck_assert_int_eq(calls, 1);
	child = fork();
	if (!child) {
		bool right = !srcu_notifier_chain_register(&chain, &second);

		raise(SIGUSR1);
		right = right && calls == 3 && percpu_sum(counter) == 2;
		right = right && !srcu_notifier_chain_unregister(&chain, &second);
		right = right && !srcu_notifier_chain_unregister(&chain, &block_of_chain);
		free_percpu(counter);
		counter = alloc_percpu(uint64_t);
		right = right && counter && !srcu_cleanup_notifier_head(&chain);
		_exit(right ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(percpu_sum(counter), 1);
	free_percpu(counter);
	ck_assert_int_eq(srcu_notifier_chain_unregister(&chain, &block_of_chain), 0);
	ck_assert_int_eq(srcu_cleanup_notifier_head(&chain), 0);
}
END_TEST

int main(void)
{
	TCase *table = test_case("table"), *others = test_case("others");
	TCase *cases[] = {table, others, NULL};
	int last = forced("nomemory") ? ROWS - ROWS_WITH_MEMORY : ROWS;

	tcase_add_loop_test(table, in_a_handler, 0, last);
	tcase_add_loop_test(table, in_a_section, 0, last);
	tcase_add_loop_test(table, in_a_callback, 0, last);
	tcase_add_loop_test(table, in_a_child, 0, last);
	tcase_add_loop_test(table, after_cleanup, 0, last);
	tcase_add_test(others, chains_and_counters_in_handler_and_child);
	return run_suite("contexts", cases);
}
