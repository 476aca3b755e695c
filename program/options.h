/* SPDX-License-Identifier: MIT */
/* What parsers of argp have in common.  Each says what is wrong, and exits. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <argp.h>
#include <stdint.h>

/* The decimal number from @min to @max that @option was given as @text. */
uint64_t parse_number(
	struct argp_state *state, const char *option, const char *text, uint64_t min, uint64_t max);

/* The seconds that --duration was given, from 0.1 to @max. */
double parse_seconds(struct argp_state *state, const char *text, int max);

/* For a parser's default case: there are no arguments besides options. */
error_t parse_no_argument(int key, const char *text, struct argp_state *state);

#endif /* OPTIONS_H */
