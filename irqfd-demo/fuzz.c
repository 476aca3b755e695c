/* SPDX-License-Identifier: MIT */
/*
 * `irqfd-demo fuzz': random steps on the model and on KVM, all that can be seen
 * after each, and the shortest script for the first difference.
 */
#include "demo.h"
#include "fuzz.h"
#include "program/options.h"

#include <stdlib.h>

#define WORLD_STEPS   200
#define DEFAULT_STEPS 10000
#define DEFAULT_SEED  1
#define MAX_STEPS     100000000

enum {
	KEY_SEED = 's',
	KEY_STEPS = 'n',
};

struct fuzz_options {
	uint64_t seed, steps;
};

static void add(struct script *script, struct step step)
{
	script_add(script, &step);
}

/* All that can be seen, except what looking at would change. */
static void add_observations(struct script *script, const struct names *names, enum op after)
{
	static const uint32_t pins[] = {4, 5, 9, 16};

	for (unsigned int m = 0; m < MAX_MACHINES; m++) {
		if (!names->machine[m])
			continue;
		add(script, (struct step){.op = OP_SHOW_IRR, .machine = m});
		if (names->only_cpus[m])
			continue;
		add(script, (struct step){.op = OP_SHOW_PIC, .machine = m});
		for (size_t i = 0; i < ARRAY_SIZE(pins); i++)
			add(script, (struct step){.op = OP_SHOW_PIN, .machine = m, .pin = pins[i]});
	}
	for (unsigned int e = 0; e < MAX_EVENTS; e++) {
		if (!names->event[e])
			continue;
		add(script, (struct step){.op = OP_SHOW_COUNT, .event = e});
		add(script, (struct step){.op = OP_SHOW_POLL, .event = e});
	}
	for (unsigned int page = 0; after == OP_GUEST_WRITE && page < ARENA_PAGES; page++)
		add(script, (struct step){.op = OP_SHOW_PAGE, .page = page});
}

static struct script make_script(uint64_t seed, unsigned int features, uint64_t steps)
{
	struct generator generator = {.random = seed, .features = features};
	struct script script = {0};

	for (uint64_t i = 0; i < steps; i++) {
		struct step step;

		generate_step(&generator, &step);
		script_add(&script, &step);
		add_observations(&script, &generator.names, step.op);
	}
	return script;
}

static void print_shortest(struct script *script, struct difference *difference)
{
	printf("a difference in step %zu; shrinking\n", difference->step + 1);
	fflush(stdout);
	script_shrink(script, difference);
	for (size_t i = 0; i < script->nr_steps; i++) {
		step_print(stdout, &script->steps[i]);
		putchar('\n');
	}
	printf("# model: %s\n# kvm:   %s\n", difference->model, difference->kvm);
}

static int fuzz(const struct fuzz_options *options)
{
	const char *why;
	struct world *kvm = kvm_backend.begin(&why);
	uint64_t done = 0, random = options->seed, observed = 0;
	unsigned int features;

	if (!kvm) {
		printf("oracle skipped: %s\n", why);
		return EXIT_SUCCESS;
	}
	features = kvm_backend.features(kvm);
	kvm_backend.end(kvm);
	while (done < options->steps) {
		uint64_t left = options->steps - done,
			 steps = left < WORLD_STEPS ? left : WORLD_STEPS;
		struct script script = make_script(random_next(&random), features, steps);
		struct difference difference;
		bool differs = script_differs(&script, &difference);

		if (differs)
			print_shortest(&script, &difference);
		observed += script.nr_steps - steps;
		script_free(&script);
		if (differs)
			return EXIT_FAILURE;
		done += steps;
	}
	printf("%llu steps and %llu observations without a difference\n", (unsigned long long)done,
		(unsigned long long)observed);
	return EXIT_SUCCESS;
}

static error_t parse_fuzz(int key, char *text, struct argp_state *state)
{
	struct fuzz_options *options = state->input;

	switch (key) {
	case KEY_SEED:
		options->seed = parse_number(state, "--seed", text, 0, UINT64_MAX);
		return 0;
	case KEY_STEPS:
		options->steps = parse_number(state, "--steps", text, 1, MAX_STEPS);
		return 0;
	default:
		return parse_no_argument(key, text, state);
	}
}

int fuzz_command(int argc, char **argv)
{
	static const struct argp_option table[] = {
		{"seed", KEY_SEED, "N", 0, "Seed of the steps (1)", 0},
		{"steps", KEY_STEPS, "N", 0, "How many, 200 to a world (10000)", 0},
		{0},
	};
	static const struct argp argp = {.options = table,
		.parser = parse_fuzz,
		.doc = "Carry out random steps on the model and on KVM, compare all that can be "
		       "seen after each, and print the shortest script that shows a difference."};
	struct fuzz_options options = {.seed = DEFAULT_SEED, .steps = DEFAULT_STEPS};

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	return fuzz(&options);
}
