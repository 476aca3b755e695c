/* SPDX-License-Identifier: MIT */
/*
 * What playing and comparing share: the outcomes recorded from KVM beside a
 * scenario, FILE.expected for FILE.scenario.
 */
#ifndef PLAY_H
#define PLAY_H

#include "scenario.h"

typedef char outcome_t[OUTCOME_SIZE];

/*
 * The outcome of each of @script's steps as recorded beside @path, or NULL with
 * *why set: nothing is recorded, or it is of another script.
 */
outcome_t *recording_read(const char *path, const struct script *script, const char **why);

/* Record @outcomes beside @path; dies when that is not possible. */
void recording_write(const char *path, const struct script *script, const outcome_t *outcomes);

/* What @script requires that @features have not, or NULL. */
const char *requirement_missing(const struct script *script, unsigned int features);

#endif /* PLAY_H */
