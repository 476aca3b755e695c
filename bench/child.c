/* SPDX-License-Identifier: MIT */
/*
 * The two halves: the child, which is told by its only option what to measure and
 * writes its answer to standard output, and the program, which reads it.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <srcu/srcu.h>

#include "bench/child.h"
#include "bench/reader.h"
#include "bench/shim.h"

#define IDLE   "--idle-child="
#define MEMORY "--memory-child"

#define CALLBACKS 4096 /* that the threads invoke before they have nothing to do */
#define SETTLE_NS 100000000u
#define IDLE_NS   1000000000u
#define DOMAINS   10000

/* The child. */

/* What threads other than the caller have done. */
struct others {
	int64_t switches;
	int64_t cpu_ns;
	int64_t at_ns;
};

static int64_t clock_of(clockid_t clock)
{
	struct timespec used = {0, 0};

	clock_gettime(clock, &used);
	return (int64_t)timespec_ns(&used);
}

static struct others others_now(void)
{
	struct rusage all = {0}, own = {0};

	getrusage(RUSAGE_SELF, &all);
	getrusage(RUSAGE_THREAD, &own);
	return (struct others){.switches = all.ru_nvcsw - own.ru_nvcsw,
		.cpu_ns = clock_of(CLOCK_PROCESS_CPUTIME_ID) - clock_of(CLOCK_THREAD_CPUTIME_ID),
		.at_ns = clock_of(CLOCK_MONOTONIC)};
}

static void sleep_ns(uint64_t ns)
{
	const struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};

	nanosleep(&time, NULL);
}

static const struct callback_peer *peer_of(const char *name)
{
	for (const struct callback_peer *const *p = callback_peers; *p; p++)
		if (!strcmp((*p)->name, name))
			return *p;
	return NULL;
}

/* For a second, with at most CALLBACKS of them. */
static int queue_now_and_then(const struct callback_peer *peer, unsigned int rate)
{
	int error = 0;

	if (!rate)
		sleep_ns(IDLE_NS);
	for (unsigned int i = 0; !error && i < rate; i++) {
		error = peer->enqueue_counted(i);
		sleep_ns(IDLE_NS / rate);
	}
	return error;
}

/* The clocks are read one after the other: threads that slept may have less than nothing. */
static struct idle between(const struct others *began, const struct others *ended)
{
	double seconds = (double)(ended->at_ns - began->at_ns) / 1e9;
	int64_t cpu_ns = ended->cpu_ns - began->cpu_ns;

	return (struct idle){.wakeups = (double)(ended->switches - began->switches) / seconds,
		.cpu_ns = (double)(cpu_ns > 0 ? cpu_ns : 0) / seconds};
}

/* @what: a rate and a peer's name, with a comma between. */
static int measure_idle(const char *what, struct idle *idle)
{
	char *comma;
	unsigned int rate = (unsigned int)strtoul(what, &comma, 10);
	const struct callback_peer *peer = *comma ? peer_of(comma + 1) : NULL;
	struct others began, ended;
	uint64_t ns;
	int error = peer && rate <= CALLBACKS ? peer->begin(CALLBACKS) : -EINVAL;

	if (!error)
		error = callbacks_time_invoke(peer, CALLBACKS, &ns);
	if (error)
		return error;
	sleep_ns(SETTLE_NS);
	began = others_now();
	error = queue_now_and_then(peer, rate);
	ended = others_now();
	*idle = between(&began, &ended);
	return error;
}

static int use_domain(struct srcu_struct *domain)
{
	int error = init_srcu_struct(domain);

	if (!error) {
		srcu_read_unlock(domain, srcu_read_lock(domain));
		synchronize_srcu(domain);
	}
	return error;
}

/* The first domain has memory taken that all share. */
static int measure_memory(double *bytes_per_domain)
{
	struct srcu_struct first, *domains = malloc(DOMAINS * sizeof(*domains));
	int error = domains ? use_domain(&first) : -ENOMEM;
	int64_t resident = resident_bytes();

	for (size_t i = 0; !error && i < DOMAINS; i++)
		error = use_domain(&domains[i]);
	*bytes_per_domain = (double)(resident_bytes() - resident) / DOMAINS;
	return error;
}

static _Noreturn void answer(int error, const void *what, size_t size)
{
	if (error)
		fprintf(stderr, "srcu-bench: child: %s\n", strerror(-error));
	else if (write(STDOUT_FILENO, what, size) == (ssize_t)size)
		_exit(0);
	_exit(1);
}

void child_main(int argc, char **argv)
{
	if (argc != 2)
		return;
	if (!strncmp(argv[1], IDLE, strlen(IDLE))) {
		struct idle idle = {0, 0};
		int error = measure_idle(argv[1] + strlen(IDLE), &idle);

		answer(error, &idle, sizeof(idle));
	}
	if (!strcmp(argv[1], MEMORY)) {
		double bytes = 0;
		int error = measure_memory(&bytes);

		answer(error, &bytes, sizeof(bytes));
	}
}

/* The program. */

static int spawn(char *option, int to, pid_t *child)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = {"srcu-bench", option, NULL};
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
	error = posix_spawn(child, "/proc/self/exe", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

static int ask(char *option, void *what, size_t size)
{
	int ends[2], error;
	ssize_t got;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	error = spawn(option, ends[1], &child);
	close(ends[1]);
	if (!error) {
		got = read(ends[0], what, size);
		waitpid(child, NULL, 0);
		error = got == (ssize_t)size ? 0 : -EPROTO;
	}
	close(ends[0]);
	return error;
}

int child_idle(const struct callback_peer *peer, unsigned int rate, struct idle *idle)
{
	char option[64];

	snprintf(option, sizeof(option), IDLE "%u,%s", rate, peer->name);
	return ask(option, idle, sizeof(*idle));
}

int child_memory(double *bytes_per_domain)
{
	char option[] = MEMORY;

	return ask(option, bytes_per_domain, sizeof(*bytes_per_domain));
}
