/* SPDX-License-Identifier: MIT */
/*
 * `irqfd-demo play': carry out scenarios on one backend and print the outcome
 * of each step.
 */
#include "demo.h"
#include "play.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_BACKEND = 'b',
	KEY_RECORD = 'w',
};

struct play_options {
	const struct backend *backend;
	bool record;
	char **paths;
	int nr_paths;
};

static void print_outcomes(const struct script *script, const outcome_t *outcomes)
{
	for (size_t i = 0; i < script->nr_steps; i++) {
		char *text = step_text(&script->steps[i]);

		printf("%-56s -> %s\n", text, outcomes[i]);
		free(text);
	}
}

static void play_steps(const struct play_options *options, struct world *world, const char *path,
	const struct script *script)
{
	outcome_t *outcomes = zalloc(script->nr_steps * sizeof(*outcomes)), *expected = NULL;
	const char *why;

	if (!options->record)
		expected = recording_read(path, script, &why);
	for (size_t i = 0; i < script->nr_steps; i++)
		options->backend->run(
			world, &script->steps[i], expected ? expected[i] : NULL, outcomes[i]);
	if (options->record)
		recording_write(path, script, outcomes);
	else
		print_outcomes(script, outcomes);
	free(expected);
	free(outcomes);
}

static void play_file(const struct play_options *options, const char *path)
{
	const struct backend *backend = options->backend;
	const char *why, *missing;
	struct script script;
	struct world *world;

	if (!script_read(path, &script))
		exit(STATUS_USAGE);
	world = backend->begin(&why);
	if (!world)
		die(0, "%s cannot be used: %s", backend->name, why);
	missing = requirement_missing(&script, backend->features(world));
	if (options->nr_paths > 1 && !options->record)
		printf("%s:\n", path);
	if (missing)
		printf("%s: skipped: %s has no %s\n", path, backend->name, missing);
	else
		play_steps(options, world, path, &script);
	backend->end(world);
	script_free(&script);
}

static error_t parse_play(int key, char *text, struct argp_state *state)
{
	struct play_options *options = state->input;

	switch (key) {
	case KEY_BACKEND:
		if (strcmp(text, "model") == 0)
			options->backend = &model_backend;
		else if (strcmp(text, "kvm") == 0)
			options->backend = &kvm_backend;
		else
			argp_error(state, "--backend takes model or kvm, not '%s'", text);
		return 0;
	case KEY_RECORD:
		options->record = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->paths = state->argv + state->next;
		options->nr_paths = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no scenario given");
		return EINVAL;
	case ARGP_KEY_END:
		if (options->record && options->backend != &kvm_backend)
			argp_error(state, "--record is for --backend=kvm");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int play_command(int argc, char **argv)
{
	static const struct argp_option table[] = {
		{"backend", KEY_BACKEND, "model|kvm", 0, "Where (model)", 0},
		{"record", KEY_RECORD, NULL, 0,
			"Write the outcomes to FILE.expected for FILE.scenario", 0},
		{0},
	};
	static const struct argp argp = {.options = table,
		.parser = parse_play,
		.args_doc = "FILE...",
		.doc = "Carry out scenarios and print the outcome of each step."};
	struct play_options options = {.backend = &model_backend};

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	for (int i = 0; i < options.nr_paths; i++)
		play_file(&options, options.paths[i]);
	return EXIT_SUCCESS;
}
