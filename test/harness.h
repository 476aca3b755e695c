/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests share: reports of the library collected instead of
 * printed, threads that are stepped from outside, pinning.  Each test runs in a
 * process of its own (Check forks); the time-out is a watchdog, not a
 * measurement.
 */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include <check.h>
#include <pthread.h>
#include <srcu/srcu.h>
#include <stdbool.h>

#define WATCHDOG_S 300

/* A sanitizer's memory fits into no limited address space, its code is no use stepped through. */
#if defined(__SANITIZE_ADDRESS__) || defined(SRCU_TSAN)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* Reports since warnings_collect(), but for those of long waits; the text of the latest. */
void warnings_collect(void);
unsigned int warnings(void);
bool warned_of(const char *part);

/*
 * A thread that runs one function and can be waited for at named points: it
 * calls step_reached(), the test calls step_await(), and back by step_allow()
 * and step_pause().
 */
struct stepper {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned int reached;
	unsigned int allowed;
};

#define STEPPER_INIT                                                      \
	{                                                                 \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 \
	}

void step_reached(struct stepper *stepper, unsigned int step);
void step_await(struct stepper *stepper, unsigned int step);
void step_allow(struct stepper *stepper, unsigned int step);
void step_pause(struct stepper *stepper, unsigned int step);

pthread_t thread_start(void *(*function)(void *), void *arg);
void thread_join(pthread_t thread);

/* Wait until the thread that stored its id in *tid sleeps in the kernel. */
void await_asleep(const int *tid);

/* Wait until *flag is set. */
void await_flag(const int *flag);
void set_flag(int *flag);
bool flag_set(const int *flag);

/* Pin the calling thread; the number of CPUs it may use. */
unsigned int cpus_allowed(void);
void pin_to_nth_cpu(unsigned int n);

/*
 * Signals to one thread until stopped, each sent when the one before has been
 * handled and after a pause of varying length: without the first the thread
 * would do nothing but handle signals, without the second fork() would be
 * restarted for ever.
 */
struct storm {
	pthread_t target;
	int signal;
	int stop;
	uint64_t sent;
	pthread_t sender;
};

void storm_start(struct storm *storm, int signal, void (*handler)(void));
void storm_stop(struct storm *storm);
uint64_t storm_handled(void);

/* Of memory: what the process has mapped, or what of it is there. */
size_t mapped_bytes(bool resident);

/* Is one of the words of SRCU_FORCE set in this run? */
bool forced(const char *word);

int run_suite(const char *name, TCase *const *cases);
TCase *test_case(const char *name);

#endif /* TEST_HARNESS_H */
