/* SPDX-License-Identifier: MIT */
/*
 * Numbers and routes as text: what the language of scenarios is made of.
 */
#ifndef TEXT_H
#define TEXT_H

#include "step.h"

#include <stdio.h>

/* Decimal, or hexadecimal after 0x, and nothing else. */
bool number_parse(const char *text, uint64_t max, uint64_t *number);
void number_print(FILE *out, uint64_t number);

/* "EINVAL" and so on; "0" for 0. */
const char *errno_name(int error);

/* Add to @step the routes that @text stands for.  NULL, or what is wrong. */
const char *routes_parse(char *text, struct step *step);
void routes_print(FILE *out, const struct step *step);

#endif /* TEXT_H */
