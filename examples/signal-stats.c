/* SPDX-License-Identifier: MIT */
/*
 * Statistics that signal handlers count, by per-CPU counters: without an atomic
 * instruction, and without a lock that a handler could find taken by the thread that
 * it interrupts.  The names of what is counted are read in a section, which
 * a handler may have as well.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <srcu/percpu.h>
#include <srcu/srcu.h>

#define LOOPS   1000000
#define SIGNALS 200
#define THREADS 2

struct stats {
	uint64_t requests; /* counted by the threads, and by the handler that interrupts them */
	uint64_t signals;
};

DEFINE_STATIC_SRCU(label_srcu);
static const char *label = "idle";
static struct stats *stats;
static unsigned long handled; /* what the counters are compared with */
static int running = THREADS;

static void on_signal(int signal)
{
	int idx = srcu_read_lock(&label_srcu);
	const char *now = srcu_dereference(label, &label_srcu);

	(void)signal;
	if (!strcmp(now, "busy"))
		this_cpu_inc(stats->requests);
	this_cpu_inc(stats->signals);
	srcu_read_unlock(&label_srcu, idx);
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	uint64_t *loops = arg;

	do
		this_cpu_inc(stats->requests);
	while (++*loops < LOOPS || __atomic_load_n(&handled, __ATOMIC_RELAXED) < SIGNALS);
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELEASE);
	return NULL;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	uint64_t loops[THREADS] = {0}, requests, signals;
	pthread_t threads[THREADS];

	stats = alloc_percpu(struct stats);
	if (!stats)
		return 1;
	srcu_assign_pointer(label, "busy");
	synchronize_srcu(&label_srcu); /* from here on every handler sees it */
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, &loops[i]))
			return 1;
	for (int i = 0; __atomic_load_n(&running, __ATOMIC_ACQUIRE); i++) {
		pthread_kill(threads[i % THREADS], SIGUSR1);
		usleep(20);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	requests = percpu_sum(&stats->requests);
	signals = percpu_sum(&stats->signals);
	printf("signal-stats: %lu requests, %lu signals\n", (unsigned long)requests,
		(unsigned long)signals);
	free_percpu(stats);
	return signals != handled || requests != loops[0] + loops[1] + signals ||
	       cleanup_srcu_struct(&label_srcu);
}
