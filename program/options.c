/* SPDX-License-Identifier: MIT */
/* The functions that options.h offers. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

uint64_t parse_number(
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
double parse_seconds(struct argp_state *state, const char *text, int max)
{
	size_t digits = strspn(text, "0123456789"), more = 0;
	double seconds;

	if (text[digits] == '.')
		more = 1 + strspn(text + digits + 1, "0123456789");
	seconds = strtod(text, NULL);
	if (digits == 0 || text[digits + more] || seconds < 0.1 || seconds > max)
		argp_error(state, "--duration takes seconds from 0.1 to %d, not '%s'", max, text);
	return seconds;
}

error_t parse_no_argument(int key, const char *text, struct argp_state *state)
{
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_error(state, "unexpected argument '%s'", text);
	return EINVAL;
}
