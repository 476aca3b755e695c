/* SPDX-License-Identifier: MIT */
/*
 * srcutorture: the command line, and the run.  Threads do to domains what can be done
 * to them, and check what the library promises.
 */
#include "torture.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_USAGE 2

#define DEFAULT_DURATION 10
#define DEFAULT_DOMAINS  3
#define MAX_DURATION     604800

const char *argp_program_version = "srcutorture " PACKAGE_VERSION;

static struct options options = {.duration = DEFAULT_DURATION, .domains = DEFAULT_DOMAINS};
static uint64_t end_ns, line_ns, rounds;
static volatile sig_atomic_t interrupted;

static uint64_t parse_number(
	struct argp_state *state, const char *option, const char *text, uint64_t min, uint64_t max)
{
	uint64_t n = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (n > (UINT64_MAX - digit) / 10)
			break;
		n = n * 10 + digit;
	}
	if (p == text || *p || n < min || n > max)
		argp_error(state, "%s takes a number from %llu to %llu, not '%s'", option,
			(unsigned long long)min, (unsigned long long)max, text);
	return n;
}

/* Digits with at most one decimal point: strtod() would also take `nan' and `0x1p3'. */
static double parse_seconds(struct argp_state *state, const char *text)
{
	size_t digits = strspn(text, "0123456789"), more = 0;
	double seconds;

	if (text[digits] == '.')
		more = 1 + strspn(text + digits + 1, "0123456789");
	seconds = strtod(text, NULL);
	if (digits == 0 || text[digits + more] || seconds < 0.1 || seconds > MAX_DURATION)
		argp_error(state, "--duration takes seconds from 0.1 to %d, not '%s'", MAX_DURATION,
			text);
	return seconds;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	switch (key) {
	case 'd':
		options.duration = parse_seconds(state, text);
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
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", text);
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
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
