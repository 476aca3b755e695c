/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo: the command line.  A model of KVM's irqfd and interrupt routing
 * that uses SRCU and sequence counters as KVM does.
 */
#include "demo.h"
#include "program/options.h"
#include "seed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CPUS     2
#define DEFAULT_DEVICES  4
#define DEFAULT_ROUTES   64
#define DEFAULT_DURATION 5
#define DEFAULT_COUNT    1000
#define MAX_DURATION     86400
#define MAX_COUNT        1000000

enum {
	KEY_DURATION = 'd',
	KEY_CPUS = 'c',
	KEY_DEVICES = 'n',
	KEY_ROUTES = 'r',
	KEY_SEED = 's',
	KEY_JSON = 'j',
	KEY_PLOT = 'p',
	KEY_COUNT = 'N',
	KEY_ROUTE_BY = 0x100,
	KEY_DOMAIN_PER,
};

const char *argp_program_version = "irqfd-demo " PACKAGE_VERSION;

/* Is it the second of two words? */
static bool parse_choice(struct argp_state *state, const char *option, const char *text,
	const char *first, const char *second)
{
	if (strcmp(text, first) != 0 && strcmp(text, second) != 0)
		argp_error(state, "%s takes %s or %s, not '%s'", option, first, second, text);
	return strcmp(text, second) == 0;
}

static void finish_run(struct argp_state *state, struct run_options *options)
{
	unsigned int sources = options->devices + NR_OTHERS;

	if (!options->routes)
		options->routes = sources > DEFAULT_ROUTES ? sources : DEFAULT_ROUTES;
	if (options->routes < sources)
		argp_error(state,
			"--routes must be at least %u: one for each device and %u for "
			"level-triggered "
			"ones and other processes",
			sources, NR_OTHERS);
}

static error_t parse_run(int key, char *text, struct argp_state *state)
{
	struct run_options *options = state->input;

	switch (key) {
	case KEY_DURATION:
		options->duration = parse_seconds(state, text, MAX_DURATION);
		return 0;
	case KEY_CPUS:
		options->cpus = (unsigned int)parse_number(state, "--cpus", text, 1, MAX_CPUS);
		return 0;
	case KEY_DEVICES:
		options->devices =
			(unsigned int)parse_number(state, "--devices", text, 1, MAX_DEVICES);
		return 0;
	case KEY_ROUTES:
		options->routes =
			(unsigned int)parse_number(state, "--routes", text, 1, MAX_ROUTES);
		return 0;
	case KEY_SEED:
		options->seed = parse_number(state, "--seed", text, 0, UINT64_MAX);
		return 0;
	case KEY_JSON:
		options->json = text;
		return 0;
	case KEY_PLOT:
		options->plot = text;
		return 0;
	case KEY_ROUTE_BY:
		options->route_by_pointer =
			parse_choice(state, "--route-by", text, "copy", "pointer");
		return 0;
	case KEY_DOMAIN_PER:
		options->domain_per_irqfd =
			parse_choice(state, "--domain-per", text, "machine", "irqfd");
		return 0;
	case ARGP_KEY_END:
		finish_run(state, options);
		return 0;
	default:
		return parse_no_argument(key, text, state);
	}
}

static int command_run(int argc, char **argv)
{
	static const struct argp_option table[] = {
		{"duration", KEY_DURATION, "SECONDS", 0, "Inject for so long (5)", 0},
		{"cpus", KEY_CPUS, "N", 0, "CPUs of the machine, 1 to 64 (2)", 0},
		{"devices", KEY_DEVICES, "N", 0, "Device threads, 1 to 256 (4)", 0},
		{"routes", KEY_ROUTES, "N", 0,
			"Entries of each routing table, at least four more than devices, up to "
			"4096 "
			"(64)",
			0},
		{"seed", KEY_SEED, "N", 0, "Seed of the devices' random pace (1)", 0},
		{"json", KEY_JSON, "FILE", 0,
			"Write the results as JSON; with - to standard output, and nothing else",
			0},
		{"plot", KEY_PLOT, "FILE", 0, "Plot the latencies, as SVG, by gnuplot", 0},
		{"route-by", KEY_ROUTE_BY, "copy|pointer", 0,
			"How irqfds have their routes: a copy under a sequence counter, or a "
			"pointer into the table (copy)",
			0},
		{"domain-per", KEY_DOMAIN_PER, "machine|irqfd", 0,
			"Whose domain the irqfds' routes are read in (machine)", 0},
		{0},
	};
	static const struct argp argp = {.options = table,
		.parser = parse_run,
		.doc = "Inject interrupts from devices and from other processes while routes, "
		       "memory "
		       "slots and devices come and go, and check that nothing is lost, torn, "
		       "stale or leaked."};
	struct run_options options = {.duration = DEFAULT_DURATION,
		.cpus = DEFAULT_CPUS,
		.devices = DEFAULT_DEVICES,
		.seed = 1};

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	return run_main(&options);
}

static error_t parse_leak(int key, char *text, struct argp_state *state)
{
	unsigned int *count = state->input;

	switch (key) {
	case KEY_COUNT:
		*count = (unsigned int)parse_number(state, "--count", text, 1, MAX_COUNT);
		return 0;
	default:
		return parse_no_argument(key, text, state);
	}
}

static int command_leak(int argc, char **argv)
{
	static const struct argp_option table[] = {
		{"count", KEY_COUNT, "N", 0,
			"Interrupts to put into the window, 1 to 1000000 (1000)", 0},
		{0},
	};
	static const struct argp argp = {.options = table,
		.parser = parse_leak,
		.doc = "Show that a reader count which is not safe against interrupts loses "
		       "readers, and that the real one does not."};
	unsigned int count = DEFAULT_COUNT;

	argp_parse(&argp, argc, argv, 0, NULL, &count);
	return leak_main(count);
}

static error_t parse_storm(int key, char *text, struct argp_state *state)
{
	double *seconds = state->input;

	switch (key) {
	case KEY_DURATION:
		*seconds = parse_seconds(state, text, MAX_DURATION);
		return 0;
	default:
		return parse_no_argument(key, text, state);
	}
}

static int command_storm(int argc, char **argv)
{
	static const struct argp_option table[] = {
		{"duration", KEY_DURATION, "SECONDS", 0, "Measure each figure for so long (0.5)",
			0},
		{0},
	};
	static const struct argp argp = {.options = table,
		.parser = parse_storm,
		.doc = "Measure how long it takes to replace a machine's routes, with 1, 100 and "
		       "4096 of them, by how their readers are waited for."};
	double seconds = 0.5;

	argp_parse(&argp, argc, argv, 0, NULL, &seconds);
	return routing_storm_main(seconds);
}

static error_t parse_seed(int key, char *text, struct argp_state *state)
{
	seed_fn **seed = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*seed)
			argp_error(state, "unexpected argument '%s'", text);
		*seed = seed_find(text);
		if (!*seed)
			argp_error(state, "unknown seed '%s'", text);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no seed given");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int command_seed(int argc, char **argv)
{
	static const struct argp argp = {.parser = parse_seed,
		.args_doc = "000|001|002|003|004",
		.doc = "Show a change to KVM that the demo began with: what happens with its "
		       "mechanism, and what without it."};
	seed_fn *seed = NULL;

	argp_parse(&argp, argc, argv, 0, NULL, &seed);
	return seed();
}

static const struct command {
	const char *name;
	const char *full_name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{"run", "irqfd-demo run", command_run},
	{"leak", "irqfd-demo leak", command_leak},
	{"seed", "irqfd-demo seed", command_seed},
	{"routing-storm", "irqfd-demo routing-storm", command_storm},
	{"play", "irqfd-demo play", play_command},
	{"compare", "irqfd-demo compare", compare_command},
	{"fuzz", "irqfd-demo fuzz", fuzz_command},
};

/* What was found before the command's own arguments. */
struct choice {
	const struct command *command;
	int index; /* of the command's name in argv */
};

static error_t parse_command(int key, char *text, struct argp_state *state)
{
	struct choice *choice = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
			if (strcmp(text, commands[i].name) == 0)
				choice->command = &commands[i];
		if (!choice->command)
			argp_error(state, "unknown command '%s'", text);
		choice->index = state->next - 1;
		state->next = state->argc; /* the rest is the command's */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state,
			"no command given: run, leak, seed, routing-storm, play, compare or fuzz");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Started without them, the demo's first eventfds would be taken for standard output. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {.parser = parse_command,
		.args_doc = "run|leak|seed|routing-storm|play|compare|fuzz [ARGUMENT...]",
		.doc = "A model of KVM's irqfd and interrupt routing on SRCU and sequence counters."
		       "\v"
		       "run\tinject interrupts while routes change, and check that none is lost\n"
		       "leak\tlose reader counts to interrupts, and see cleanup_srcu_struct() "
		       "tell\n"
		       "seed\tshow a change to KVM with its mechanism and without it\n"
		       "routing-storm\tmeasure updates of the routes\n"
		       "play\tcarry out scenarios on the model or on KVM\n"
		       "compare\tcarry out scenarios on both, and print where they differ\n"
		       "fuzz\tcompare both on random steps\n"
		       "\nEach command has a --help of its own."};
	struct choice choice = {0};
	int status;

	open_standard_descriptors();
	argp_err_exit_status = STATUS_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
	argv += choice.index;
	argv[0] = (char *)choice.command->full_name;
	status = choice.command->main(argc - choice.index, argv);
	if (fflush(stdout) || ferror(stdout))
		die(errno, "cannot write the output");
	return status;
}
