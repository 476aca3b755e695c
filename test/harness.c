/* SPDX-License-Identifier: MIT */
/* What harness.h declares. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static unsigned int warning_count;
static char last_warning[400];
static bool last_warning_taken; /* by one thread; a report that finds it taken is only counted */

/* That a grace period takes long is no news where a machine is slow. */
static void collect(const struct srcu_struct *ssp, const char *message)
{
	(void)ssp;
	if (strstr(message, " has waited "))
		return;
	if (!__atomic_test_and_set(&last_warning_taken, __ATOMIC_ACQUIRE)) {
		strncpy(last_warning, message, sizeof(last_warning) - 1);
		__atomic_clear(&last_warning_taken, __ATOMIC_RELEASE);
	}
	__atomic_fetch_add(&warning_count, 1, __ATOMIC_SEQ_CST);
}

void warnings_collect(void)
{
	srcu_set_warn_handler(collect);
	__atomic_store_n(&warning_count, 0, __ATOMIC_SEQ_CST);
}

unsigned int warnings(void)
{
	return __atomic_load_n(&warning_count, __ATOMIC_SEQ_CST);
}

bool warned_of(const char *part)
{
	bool found;

	while (__atomic_test_and_set(&last_warning_taken, __ATOMIC_ACQUIRE))
		sched_yield();
	found = warnings() && strstr(last_warning, part);
	__atomic_clear(&last_warning_taken, __ATOMIC_RELEASE);
	return found;
}

static void step_set(struct stepper *stepper, unsigned int *which, unsigned int step)
{
	pthread_mutex_lock(&stepper->mutex);
	*which = step;
	pthread_cond_broadcast(&stepper->changed);
	pthread_mutex_unlock(&stepper->mutex);
}

static void step_get(struct stepper *stepper, const unsigned int *which, unsigned int step)
{
	pthread_mutex_lock(&stepper->mutex);
	while (*which < step)
		pthread_cond_wait(&stepper->changed, &stepper->mutex);
	pthread_mutex_unlock(&stepper->mutex);
}

void step_reached(struct stepper *stepper, unsigned int step)
{
	step_set(stepper, &stepper->reached, step);
}

void step_await(struct stepper *stepper, unsigned int step)
{
	step_get(stepper, &stepper->reached, step);
}

void step_allow(struct stepper *stepper, unsigned int step)
{
	step_set(stepper, &stepper->allowed, step);
}

void step_pause(struct stepper *stepper, unsigned int step)
{
	step_reached(stepper, step);
	step_get(stepper, &stepper->allowed, step);
}

pthread_t thread_start(void *(*function)(void *), void *arg)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, function, arg), 0);
	return thread;
}

void thread_join(pthread_t thread)
{
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

bool flag_set(const int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

void set_flag(int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

static char thread_state(int tid)
{
	char path[64], line[256] = "";
	const char *state;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	stat = fopen(path, "r");
	ck_assert_ptr_nonnull(stat);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), stat));
	fclose(stat);
	state = strrchr(line, ')');
	return state ? state[2] : '?';
}

void await_asleep(const int *tid)
{
	int id;

	while ((id = __atomic_load_n(tid, __ATOMIC_ACQUIRE)) == 0 || thread_state(id) != 'S')
		sched_yield();
}

void await_flag(const int *flag)
{
	while (!flag_set(flag))
		sched_yield();
}

static cpu_set_t allowed_at_start;

__attribute__((constructor)) static void remember_affinity(void)
{
	sched_getaffinity(0, sizeof(allowed_at_start), &allowed_at_start);
}

unsigned int cpus_allowed(void)
{
	return (unsigned int)CPU_COUNT(&allowed_at_start);
}

void pin_to_nth_cpu(unsigned int n)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed_at_start) || n--)
			continue;
		CPU_SET(cpu, &one);
		ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
		return;
	}
	ck_abort_msg("no such CPU");
}

static void (*storm_handler)(void);
static uint64_t handled;

uint64_t storm_handled(void)
{
	return __atomic_load_n(&handled, __ATOMIC_ACQUIRE);
}

static void handle_storm(int signal)
{
	(void)signal;
	storm_handler();
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELEASE);
}

static void *storm_send(void *arg)
{
	struct storm *storm = arg;

	while (!flag_set(&storm->stop)) {
		for (uint64_t i = storm->sent * 37 % 20000; i; i--)
			__atomic_signal_fence(__ATOMIC_SEQ_CST);
		while (pthread_kill(storm->target, storm->signal) == EAGAIN)
			sched_yield();
		storm->sent++;
		while (storm_handled() < storm->sent && !flag_set(&storm->stop))
			sched_yield();
	}
	return NULL;
}

/* A storm on the calling thread. */
void storm_start(struct storm *storm, int signal, void (*handler)(void))
{
	struct sigaction action = {.sa_flags = SA_RESTART};

	action.sa_handler = handle_storm;
	storm_handler = handler;
	handled = 0;
	ck_assert_int_eq(sigaction(signal, &action, NULL), 0);
	storm->target = pthread_self();
	storm->signal = signal;
	storm->stop = 0;
	storm->sent = 0;
	storm->sender = thread_start(storm_send, storm);
}

/* On the thread that has the storm: the last signal has been handled at return. */
void storm_stop(struct storm *storm)
{
	set_flag(&storm->stop);
	thread_join(storm->sender);
	while (storm_handled() < storm->sent)
		sched_yield();
}

size_t mapped_bytes(bool resident)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	size_t all = 0, there = 0;

	ck_assert_ptr_nonnull(statm);
	ck_assert_int_eq(fscanf(statm, "%zu %zu", &all, &there), 2);
	fclose(statm);
	return (resident ? there : all) * (size_t)sysconf(_SC_PAGESIZE);
}

bool forced(const char *word)
{
	const char *list = getenv("SRCU_FORCE");

	return list && strstr(list, word);
}

TCase *test_case(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, WATCHDOG_S);
	return tcase;
}

int run_suite(const char *name, TCase *const *cases)
{
	Suite *suite = suite_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	for (; *cases; cases++)
		suite_add_tcase(suite, *cases);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
