/* SPDX-License-Identifier: MIT */
/*
 * Latencies by gnuplot; export.h.  The program gets its commands from a pipe and
 * writes to a descriptor that is open already, so that no file's name has to be
 * quoted for anyone.
 */
#include "export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Start gnuplot on the two descriptors.  Returns its pid, or a negative errno. */
static pid_t start(char *const argv[], int from, int to)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, broken_pipe;
	pid_t pid;
	int error;

	sigemptyset(&none);
	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &broken_pipe);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, from, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
	error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error ? -error : pid;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die(errno, "cannot wait for gnuplot");
	return status;
}

void plot_probe(void)
{
	char *argv[] = {"gnuplot", "--version", NULL};
	int ends[2];
	pid_t pid;

	/* What it says of itself goes nowhere. */
	if (pipe2(ends, O_CLOEXEC))
		die(errno, "cannot make a pipe");
	pid = start(argv, STDIN_FILENO, ends[1]);
	if (pid < 0)
		die((int)-pid, "--plot needs gnuplot, which cannot be run");
	if (wait_for(pid))
		die(0, "--plot needs gnuplot, which does not run");
	close(ends[0]);
	close(ends[1]);
}

static void write_data(const struct results *results, FILE *gnuplot)
{
	for (enum path path = 0; path < NR_PATHS; path++) {
		const struct hist *hist = &results->path[path].latency;
		uint64_t total = hist_total(hist);

		fprintf(gnuplot, "$%s << END\n", path_name(path));
		for (unsigned int i = 0; i < HIST_BUCKETS; i++)
			if (hist->bucket[i])
				fprintf(gnuplot, "%g %g\n", (double)hist_bucket_ns(i) / 1000,
					100 * (double)hist->bucket[i] / (double)total);
		/* A path without events is a point outside of the picture. */
		if (!total)
			fputs("1 -1\n", gnuplot);
		fputs("END\n", gnuplot);
	}
}

static void write_commands(const struct results *results, FILE *gnuplot)
{
	write_data(results, gnuplot);
	fputs("set terminal svg size 800,480\n"
	      "set title 'From the source to the CPU'\n"
	      "set xlabel 'latency, us'\nset ylabel 'events, %'\n"
	      "set logscale x\nset yrange [0:*]\nset grid\nplot",
		gnuplot);
	for (enum path path = 0; path < NR_PATHS; path++)
		fprintf(gnuplot, "%s $%s using 1:2 with lines linewidth 2 title '%s'",
			path ? "," : "", path_name(path), path_name(path));
	fputc('\n', gnuplot);
}

bool plot_write(const struct results *results, int to)
{
	char *argv[] = {"gnuplot", "-", NULL};
	FILE *gnuplot;
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		die(errno, "cannot make a pipe");
	pid = start(argv, ends[0], to);
	close(ends[0]);
	if (pid < 0)
		die((int)-pid, "cannot run gnuplot");
	gnuplot = fdopen(ends[1], "w");
	if (!gnuplot)
		die(errno, "cannot write to gnuplot");
	write_commands(results, gnuplot);
	fclose(gnuplot);
	status = wait_for(pid);
	if (status)
		fprintf(stderr, "irqfd-demo: gnuplot failed with wait status %#x\n",
			(unsigned int)status);
	return status == 0;
}
