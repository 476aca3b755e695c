/* SPDX-License-Identifier: MIT */
/*
 * `irqfd-demo compare': carry out scenarios on the model and on KVM, step by
 * step, and print both columns where they differ.  Where KVM cannot be used
 * the column recorded from it stands in.
 */
#include "demo.h"
#include "play.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tally {
	unsigned int equal, different, skipped;
	bool oracle_told;
};

static void print_difference(
	const char *path, const struct script *script, const outcome_t *model, const outcome_t *kvm)
{
	printf("%s:\n  %-56s %-24s %s\n", path, "", "model", "kvm");
	for (size_t i = 0; i < script->nr_steps; i++) {
		char *text = step_text(&script->steps[i]);

		printf("%c %-56s %-24s %s\n", strcmp(model[i], kvm[i]) == 0 ? ' ' : '|', text,
			model[i], kvm[i]);
		free(text);
	}
}

/* Without @kvm, @kvm_outcomes are the recorded ones. */
static bool compare_steps(
	const char *path, const struct script *script, struct world *kvm, outcome_t *kvm_outcomes)
{
	outcome_t *outcomes = zalloc(script->nr_steps * sizeof(*outcomes));
	bool equal = true;
	const char *why;
	struct world *model = model_backend.begin(&why);

	if (!model)
		die(0, "the model cannot be used: %s", why);
	for (size_t i = 0; i < script->nr_steps; i++) {
		const struct step *step = &script->steps[i];

		model_backend.run(model, step, kvm ? NULL : kvm_outcomes[i], outcomes[i]);
		if (kvm)
			kvm_backend.run(kvm, step, outcomes[i], kvm_outcomes[i]);
		equal &= strcmp(outcomes[i], kvm_outcomes[i]) == 0;
	}
	model_backend.end(model);
	if (!equal)
		print_difference(path, script, outcomes, kvm_outcomes);
	free(outcomes);
	return equal;
}

static void compare_with_kvm(
	const char *path, const struct script *script, struct world *kvm, struct tally *tally)
{
	const char *missing = requirement_missing(script, kvm_backend.features(kvm));
	outcome_t *outcomes;

	if (missing) {
		printf("%s: skipped: this kernel has no %s\n", path, missing);
		tally->skipped++;
		return;
	}
	outcomes = zalloc(script->nr_steps * sizeof(*outcomes));
	if (compare_steps(path, script, kvm, outcomes))
		tally->equal++;
	else
		tally->different++;
	free(outcomes);
}

static void compare_with_recording(
	const char *path, const struct script *script, struct tally *tally)
{
	const char *why;
	outcome_t *outcomes = recording_read(path, script, &why);

	if (!outcomes) {
		printf("%s: %s\n", path, why);
		tally->different++;
		return;
	}
	if (compare_steps(path, script, NULL, outcomes))
		tally->equal++;
	else
		tally->different++;
	free(outcomes);
}

static void compare_file(const char *path, struct tally *tally)
{
	struct script script;
	struct world *kvm;
	const char *why;

	if (!script_read(path, &script))
		exit(STATUS_USAGE);
	kvm = kvm_backend.begin(&why);
	if (kvm) {
		compare_with_kvm(path, &script, kvm, tally);
		kvm_backend.end(kvm);
	} else {
		if (!tally->oracle_told)
			printf("oracle skipped: %s; what was recorded is compared\n", why);
		tally->oracle_told = true;
		compare_with_recording(path, &script, tally);
	}
	script_free(&script);
}

struct paths {
	char **path;
	int count;
};

static error_t parse_compare(int key, char *text, struct argp_state *state)
{
	struct paths *paths = state->input;

	(void)text;
	switch (key) {
	case ARGP_KEY_ARGS:
		paths->path = state->argv + state->next;
		paths->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "no scenario given");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int compare_command(int argc, char **argv)
{
	static const struct argp argp = {.parser = parse_compare,
		.args_doc = "FILE...",
		.doc = "Carry out scenarios on the model and on KVM, and print where they differ."};
	struct tally tally = {0};
	struct paths paths = {0};

	argp_parse(&argp, argc, argv, 0, NULL, &paths);
	for (int i = 0; i < paths.count; i++)
		compare_file(paths.path[i], &tally);
	printf("%u equal, %u different, %u skipped\n", tally.equal, tally.different, tally.skipped);
	return tally.different ? EXIT_FAILURE : EXIT_SUCCESS;
}
