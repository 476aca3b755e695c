/* SPDX-License-Identifier: MIT */
/*
 * Numbers and routes as text.  A route is GSI:msi:DEST:VECTOR, GSI:pic0:PIN,
 * GSI:pic1:PIN, GSI:ioapic:PIN, GSI:chip:CHIP:PIN or GSI:raw:TYPE, with :FLAGS
 * behind it when there are some; FIRST-LAST for GSI makes one of each.
 */
#include "text.h"

#include "demo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RANGE 5000 /* somewhat more than a table may have */

bool number_parse(const char *text, uint64_t max, uint64_t *number)
{
	static const char digits[] = "0123456789abcdef";
	unsigned int base = 10;
	uint64_t n = 0;
	const char *p = text;

	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	if (!*p)
		return false;
	for (; *p; p++) {
		const char *digit = strchr(digits, *p);
		uint64_t value = digit ? (uint64_t)(digit - digits) : base;

		if (value >= base || n > (max - value) / base || value > max)
			return false;
		n = n * base + value;
	}
	*number = n;
	return true;
}

void number_print(FILE *out, uint64_t number)
{
	fprintf(out, number < 32 ? "%llu" : "0x%llx", (unsigned long long)number);
}

const char *errno_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{0, "0"},
		{EAGAIN, "EAGAIN"},
		{EBADF, "EBADF"},
		{EBUSY, "EBUSY"},
		{EEXIST, "EEXIST"},
		{EFAULT, "EFAULT"},
		{EINVAL, "EINVAL"},
		{EIO, "EIO"},
		{ENOENT, "ENOENT"},
		{ENOMEM, "ENOMEM"},
		{ENOSPC, "ENOSPC"},
		{ENOTTY, "ENOTTY"},
		{ENXIO, "ENXIO"},
		{EPERM, "EPERM"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].error == error)
			return names[i].name;
	return strerror(error);
}

static const struct {
	const char *name;
	enum step_route_type type;
	uint32_t chip;
	unsigned int numbers; /* behind the name */
} controllers[] = {
	{"msi", STEP_ROUTE_MSI, 0, 2},
	{"pic0", STEP_ROUTE_CHIP, 0, 1},
	{"pic1", STEP_ROUTE_CHIP, 1, 1},
	{"ioapic", STEP_ROUTE_CHIP, 2, 1},
	{"chip", STEP_ROUTE_CHIP, 3, 2},
	{"raw", STEP_ROUTE_RAW, 0, 1},
};

/* 1 and 2 have names of their own here; 4 and 5 are others that KVM may know. */
static bool raw_type(uint64_t type)
{
	return type == 0 || type == 3 || type > 5;
}

static const char *route_finish(
	struct step_route *route, unsigned int named, const uint64_t *number)
{
	route->type = controllers[named].type;
	route->chip = controllers[named].chip;
	switch (route->type) {
	case STEP_ROUTE_MSI:
		if (number[0] > 255 || number[1] > 255)
			return "destination and vector of a route are at most 255";
		route->dest = (uint32_t)number[0];
		route->vector = (uint32_t)number[1];
		return NULL;
	case STEP_ROUTE_CHIP:
		if (controllers[named].numbers == 1) {
			route->pin = (uint32_t)number[0];
			return NULL;
		}
		if (number[0] < 3)
			return "chips below 3 are pic0, pic1 and ioapic";
		route->chip = (uint32_t)number[0];
		route->pin = (uint32_t)number[1];
		return NULL;
	default:
		if (!raw_type(number[0]))
			return "raw is for types 0, 3 and above 5";
		route->chip = (uint32_t)number[0];
		return NULL;
	}
}

/* What is behind the gsi. */
static const char *route_parse(char *text, struct step_route *route)
{
	char *name = strsep(&text, ":"), *part;
	uint64_t number[3];
	unsigned int named, n = 0;

	for (named = 0; named < ARRAY_SIZE(controllers); named++)
		if (strcmp(name, controllers[named].name) == 0)
			break;
	if (named == ARRAY_SIZE(controllers))
		return "a route is to msi, pic0, pic1, ioapic, chip or raw";
	while ((part = strsep(&text, ":")))
		if (n == ARRAY_SIZE(number) || !number_parse(part, UINT32_MAX, &number[n++]))
			return "a route has something but numbers";
	if (n < controllers[named].numbers || n > controllers[named].numbers + 1)
		return "a route has too few numbers, or too many";
	route->flags = n > controllers[named].numbers ? (uint32_t)number[n - 1] : 0;
	return route_finish(route, named, number);
}

static const char *routes_add(char *text, struct step *step)
{
	char *rest = text, *last = strsep(&rest, ":"), *first = strsep(&last, "-");
	struct step_route route = {0}, *routes;
	uint64_t from, to;
	const char *wrong;

	if (!rest || !number_parse(first, UINT32_MAX, &from))
		return "a route begins with its gsi and a colon";
	to = from;
	if (last && (!number_parse(last, UINT32_MAX, &to) || to <= from || to - from >= MAX_RANGE))
		return "that is no range of gsis";
	wrong = route_parse(rest, &route);
	if (wrong)
		return wrong;

	routes = realloc(step->routes, (step->nr_routes + to - from + 1) * sizeof(*routes));
	if (!routes)
		die(0, "no memory for routes");
	step->routes = routes;
	for (uint64_t gsi = from; gsi <= to; gsi++) {
		route.gsi = (uint32_t)gsi;
		routes[step->nr_routes++] = route;
	}
	return NULL;
}

const char *routes_parse(char *text, struct step *step)
{
	char *word;

	while ((word = strsep(&text, " \t"))) {
		const char *wrong = *word ? routes_add(word, step) : NULL;

		if (wrong)
			return wrong;
	}
	return NULL;
}

static void route_print(FILE *out, const struct step_route *route)
{
	static const char *const chips[] = {"pic0", "pic1", "ioapic"};

	if (route->type == STEP_ROUTE_MSI) {
		fprintf(out, ":msi:%u:0x%x", route->dest, route->vector);
	} else if (route->type == STEP_ROUTE_RAW) {
		fprintf(out, ":raw:%u", route->chip);
	} else {
		if (route->chip < ARRAY_SIZE(chips))
			fprintf(out, ":%s", chips[route->chip]);
		else
			fprintf(out, ":chip:%u", route->chip);
		fprintf(out, ":%u", route->pin);
	}
	if (route->flags)
		fprintf(out, ":0x%x", route->flags);
}

/* Is @b what a range that begins with @a has @distance later? */
static bool route_continues(
	const struct step_route *a, const struct step_route *b, uint32_t distance)
{
	return b->gsi >= distance && b->gsi - distance == a->gsi && a->type == b->type &&
	       a->flags == b->flags && a->chip == b->chip && a->pin == b->pin &&
	       a->dest == b->dest && a->vector == b->vector;
}

void routes_print(FILE *out, const struct step *step)
{
	const struct step_route *routes = step->routes;
	size_t n;

	for (size_t i = 0; i < step->nr_routes; i += n) {
		for (n = 1; n < MAX_RANGE && i + n < step->nr_routes; n++)
			if (!route_continues(&routes[i], &routes[i + n], (uint32_t)n))
				break;
		fputc(' ', out);
		number_print(out, routes[i].gsi);
		if (n > 1) {
			fputc('-', out);
			number_print(out, routes[i + n - 1].gsi);
		}
		route_print(out, &routes[i]);
	}
}
