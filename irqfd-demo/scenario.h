/* SPDX-License-Identifier: MIT */
/*
 * The language of scenarios: a script read from a file, a step as a line of
 * text and back, and the rule which steps may follow which.  irqfd-demo(1)
 * describes the language.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "step.h"

#include <stdio.h>

struct script {
	struct step *steps;
	size_t nr_steps, room;
	unsigned int requires; /* FEATURE_... */
};

/* Make a step of @text, which is cut up.  NULL, or what is wrong with it. */
const char *step_parse(char *text, struct step *step);

/* Print what step_parse() makes the same step of, without an end of line. */
void step_print(FILE *out, const struct step *step);

/* The same in memory of its own. */
char *step_text(const struct step *step);

void step_free(struct step *step);

/* The machines and eventfds that are there between two steps. */
struct names {
	bool machine[MAX_MACHINES];
	bool only_cpus[MAX_MACHINES]; /* all that is open of it */
	unsigned int cpus[MAX_MACHINES];
	bool event[MAX_EVENTS];
};

/* Go on by @step.  NULL, or why it cannot come here: nothing has changed then. */
const char *names_step(struct names *names, const struct step *step);

/* Take over @step, with its routes. */
void script_add(struct script *script, struct step *step);

/*
 * Read @path.  What is wrong with it goes to standard error, as FILE:LINE: what.
 * Returns false then, and @script is empty.
 */
bool script_read(const char *path, struct script *script);

void script_free(struct script *script);

/* "global-ebusy" and so on; NULL beyond the last. */
const char *feature_name(unsigned int number);

#endif /* SCENARIO_H */
