/* SPDX-License-Identifier: MIT */
/*
 * The scans' two halves: the child, which answers each message, a number of
 * grace periods, with their times, and the program, which asks.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/scan.h"
#include "bench/shim.h"

#define CHILD     "--scan-child="
#define BATCH_MAX 64

/* Exported for tests. */
extern void srcu_stand_for_cpu_(struct srcu_struct *ssp, unsigned int cpu);

/* The child. */

static struct srcu_struct domain;

static void synchronize(void)
{
	synchronize_srcu(&domain);
}

static const struct peer scanned = {.synchronize = synchronize};

/* A domain of fenced readers, of which a grace period is the scan and nothing else. */
static int prepare(unsigned int cpus)
{
	struct srcu_stats stats;
	int error = init_srcu_struct_with(
		&domain, &(struct srcu_options){.readers = SRCU_READERS_FENCED});

	if (error)
		return error;
	srcu_stand_for_cpu_(&domain, cpus - 1);
	error = srcu_get_stats(&domain, &stats);
	if (!error && stats.cpus != cpus)
		error = -ERANGE;
	return error;
}

static void serve(int socket)
{
	uint32_t n, ns[BATCH_MAX];

	while (recv(socket, &n, sizeof(n), 0) == sizeof(n) && n <= BATCH_MAX) {
		time_synchronize(&scanned, ns, n);
		if (send(socket, ns, n * sizeof(ns[0]), MSG_NOSIGNAL) < 0)
			return;
	}
}

void scan_main(int argc, char **argv)
{
	int error;

	if (argc != 2 || strncmp(argv[1], CHILD, strlen(CHILD)))
		return;
	error = prepare((unsigned int)strtoul(argv[1] + strlen(CHILD), NULL, 10));
	if (error) {
		fprintf(stderr, "srcu-bench: scan: %s\n", strerror(-error));
		exit(1);
	}
	serve(STDIN_FILENO);
	exit(0);
}

/* The program. */

static pid_t child;
static int to_child;

/* With @socket as its standard input. */
static int spawn(unsigned int cpus, int socket)
{
	posix_spawn_file_actions_t actions;
	char force[32], option[32];
	char *argv[] = {"srcu-bench", option, NULL};
	const char *before = getenv("SRCU_FORCE");
	char *kept = before ? strdup(before) : NULL;
	int error;

	snprintf(force, sizeof(force), "cpus=%d", SCAN_CPUS_MAX);
	snprintf(option, sizeof(option), CHILD "%u", cpus);
	/* The library in this process has read it long ago; other children do not want it. */
	setenv("SRCU_FORCE", force, 1);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
	error = posix_spawn(&child, "/proc/self/exe", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (kept)
		setenv("SRCU_FORCE", kept, 1);
	else
		unsetenv("SRCU_FORCE");
	free(kept);
	return -error;
}

int scan_start(unsigned int cpus)
{
	int sockets[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	/* The child inherits it. */
	pin_here();
	error = spawn(cpus, sockets[1]);
	close(sockets[1]);
	if (error)
		close(sockets[0]);
	else
		to_child = sockets[0];
	return error;
}

void scan_stop(void)
{
	close(to_child);
	waitpid(child, NULL, 0);
}

int scan_time(uint32_t *ns, uint32_t n)
{
	ssize_t size = (ssize_t)(n * sizeof(ns[0]));

	if (send(to_child, &n, sizeof(n), MSG_NOSIGNAL) < 0)
		return -errno;
	return recv(to_child, ns, (size_t)size, 0) == size ? 0 : -EPROTO;
}
