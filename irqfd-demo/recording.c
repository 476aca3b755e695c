/* SPDX-License-Identifier: MIT */
/*
 * Recordings: for each step of a script its text, an arrow and the outcome.
 */
#include "demo.h"
#include "play.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARROW " -> "

static const char header[] = "# SPDX-License-Identifier: MIT\n# Recorded from KVM.\n";

/* FILE.expected for FILE.scenario, and for any other name too. */
static char *recording_path(const char *path)
{
	static const char suffix[] = ".scenario";
	size_t length = strlen(path);
	char *name;

	if (length > strlen(suffix) && strcmp(path + length - strlen(suffix), suffix) == 0)
		length -= strlen(suffix);
	if (asprintf(&name, "%.*s.expected", (int)length, path) < 0)
		die(0, "no memory for a name");
	return name;
}

/* Is @line that of @step?  Its outcome then. */
static bool read_line(char *line, const struct step *step, outcome_t outcome)
{
	char *text = step_text(step);
	size_t length = strlen(text);
	bool same = strncmp(line, text, length) == 0 &&
		    strncmp(line + length, ARROW, strlen(ARROW)) == 0;

	if (same) {
		line += length + strlen(ARROW);
		line[strcspn(line, "\n")] = '\0';
		snprintf(outcome, OUTCOME_SIZE, "%s", line);
	}
	free(text);
	return same;
}

outcome_t *recording_read(const char *path, const struct script *script, const char **why)
{
	outcome_t *outcomes = zalloc(script->nr_steps * sizeof(*outcomes));
	char *name = recording_path(path), *line = NULL;
	FILE *file = fopen(name, "re");
	bool right = file != NULL;
	size_t size = 0, n = 0;

	*why = "what is recorded beside it is of another script";
	if (!file)
		*why = "nothing is recorded beside it";
	free(name);
	while (right && getline(&line, &size, file) >= 0) {
		if (*line == '#')
			continue;
		right = n < script->nr_steps && read_line(line, &script->steps[n], outcomes[n]);
		n++;
	}
	free(line);
	if (file)
		fclose(file);
	if (right && n == script->nr_steps)
		return outcomes;
	free(outcomes);
	return NULL;
}

void recording_write(const char *path, const struct script *script, const outcome_t *outcomes)
{
	char *name = recording_path(path);
	FILE *file = fopen(name, "we");
	bool failed;

	if (!file)
		die(errno, "cannot write %s", name);
	fputs(header, file);
	for (size_t i = 0; i < script->nr_steps; i++) {
		step_print(file, &script->steps[i]);
		fprintf(file, ARROW "%s\n", outcomes[i]);
	}
	failed = ferror(file);
	if (fclose(file) != 0 || failed)
		die(errno, "cannot write %s", name);
	free(name);
}

const char *requirement_missing(const struct script *script, unsigned int features)
{
	for (unsigned int i = 0; feature_name(i); i++)
		if (script->requires & ~features & 1u << i)
			return feature_name(i);
	return NULL;
}
