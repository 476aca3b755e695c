/* SPDX-License-Identifier: MIT */
/*
 * srcutorture: the command line, and the run.  Threads do to domains what can be done
 * to them, and check what the library promises.
 */
#include "program/options.h"
#include "torture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_DURATION 10
#define DEFAULT_DOMAINS  3
#define MAX_DURATION     604800

const char *argp_program_version = "srcutorture " PACKAGE_VERSION;

static struct options options = {.duration = DEFAULT_DURATION, .domains = DEFAULT_DOMAINS};
static uint64_t end_ns, line_ns, rounds;
static volatile sig_atomic_t interrupted;

static error_t parse(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case 'd':
		options.duration = parse_seconds(state, text, MAX_DURATION);
		return 0;
	case 's':
		options.seed = parse_number(state, "--seed", text, 0, UINT64_MAX);
		return 0;
	case 'n':
		options.domains =
			(unsigned int)parse_number(state, "--domains", text, 1, MAX_DOMAINS);
		return 0;
	case 'j':
		options.json = true;
		return 0;
	default:
		return parse_no_argument(key, text, state);
	}
}

static void stop(int signal)
{
	(void)signal;
	interrupted = 1;
}

/* Nothing is done here that the library should have to say anything about. */
static void note_report(const struct srcu_struct *ssp, const char *message)
{
	failed(CHECK_REPORT, message, (uintptr_t)ssp);
}

static bool tick(void)
{
	uint64_t now = now_ns();

	if (now >= line_ns) {
		report_line(rounds);
		line_ns += NS_PER_S;
	}
	return now < end_ns && !interrupted;
}

static void set_up(void)
{
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signals_begin();
	srcu_set_warn_handler(note_report);
	tally_begin();
	/* Where threads are refused, those who wait invoke the static domain's callbacks. */
	srcu_start_callbacks();
}

int main(int argc, char **argv)
{
	static const struct argp_option table[] = {
		{"duration", 'd', "SECONDS", 0, "Go on for so long (10)", 0},
		{"seed", 's', "N", 0, "Seed of what happens by chance (the time)", 0},
		{"domains", 'n', "N", 0, "Domains at once, 1 to 64 (3)", 0},
		{"json", 'j', NULL, 0, "Print the result only, as JSON", 0},
		{0},
	};
	static const struct argp argp = {.options = table,
		.parser = parse,
		.doc = "Do to SRCU domains what can be done to them, and check what was promised."};
	bool running = true;
	uint64_t random;

	options.seed = now_ns();
	argp_err_exit_status = STATUS_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &options);
	random = options.seed;
	report_begin(&options);
	set_up();
	line_ns = now_ns() + NS_PER_S;
	end_ns = now_ns() + (uint64_t)(options.duration * 1e9);
	while (running && tick() && !all_failures())
		running = round_run(rounds++, &random, options.domains, tick);
	if (running)
		arenas_close();
	running = report_end(rounds) && !all_failures();
	/* Threads that do not end are no reason to wait. */
	_exit(running ? EXIT_SUCCESS : EXIT_FAILURE);
}
