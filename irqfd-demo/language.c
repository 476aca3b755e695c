/* SPDX-License-Identifier: MIT */
/*
 * A step as a line of text, and back: one table says which fields each step
 * has, and both directions follow it.  Owns no state.
 */
#include "scenario.h"

#include "demo.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum kind {
	NONE,
	MACHINE, /* m0 */
	EVENT,   /* e0 */
	TARGET,  /* e0, closed or file */
	OTHER,   /* key=target, or nothing */
	NUMBER,  /* key=number, 32 bits */
	LONG,    /* key=number, 64 bits */
	HVA,     /* key=number, unmapped or kernel */
	MATCH,   /* key=number, 64 bits, or nothing for a wildcard */
	WORD,    /* key or nothing: a bool */
	ONE,     /* key or nothing: the 32-bit number 1 or 0 */
	CHIP,    /* none, split or nothing */
	ROUTES,  /* what is left of the line */
};

struct field {
	enum kind kind;
	const char *key;
	size_t offset;
	uint64_t max;
	bool optional;
	uint64_t fallback;
};

#define F(what, name, member, most)                                                             \
	{                                                                                       \
		.kind = what, .key = name, .offset = offsetof(struct step, member), .max = most \
	}
#define OPTIONAL(what, name, member, most, otherwise)                                            \
	{                                                                                        \
		.kind = what, .key = name, .offset = offsetof(struct step, member), .max = most, \
		.optional = true, .fallback = otherwise                                          \
	}
#define M              F(MACHINE, "a machine", machine, 0)
#define E              F(EVENT, "an eventfd", event, 0)
#define T              F(TARGET, "an eventfd, closed or file", event, 0)
#define GSI            F(NUMBER, "gsi", gsi, UINT32_MAX)
#define FLAGS          OPTIONAL(NUMBER, "flags", flags, UINT32_MAX, 0)
#define CHILD          OPTIONAL(WORD, "child", child, 0, 0)
#define ARGUMENT       CHILD, OPTIONAL(WORD, "null", null, 0, 0)
#define BINDING        M, T, GSI, OPTIONAL(OTHER, "resample", other, 0, 0), FLAGS, ARGUMENT
#define LENGTH         F(NUMBER, "length", ioevent.length, UINT32_MAX)
#define DATAMATCH      OPTIONAL(MATCH, "datamatch", ioevent.datamatch, UINT64_MAX, 0)
#define PIO            OPTIONAL(WORD, "pio", ioevent.pio, 0, 0)
#define ADDR           F(LONG, "addr", ioevent.addr, UINT64_MAX)
#define IOEVENT        M, T, ADDR, LENGTH, DATAMATCH, PIO, FLAGS, ARGUMENT
#define PIN            F(NUMBER, "pin", pin, 23)
#define REDIRECT(what) F(NUMBER, #what, redirection.what, 255)
#define PAGE           F(NUMBER, "page", page, ARENA_PAGES - 1)
#define ID             F(NUMBER, "id", memory.slot, UINT32_MAX)

#define MAX_SIZE (STEP_SLOT_PAGES * 4096)
#define MAX_HVA  (2 * ARENA_PAGES * 4096 - 1)

#define MAX_FIELDS 9

static const struct form {
	const char *name;
	struct field fields[MAX_FIELDS + 1];
} forms[NR_OPS] = {
	[OP_VM] = {"vm", {M, OPTIONAL(NUMBER, "cpus", number, MAX_VCPUS, 1),
				 OPTIONAL(CHIP, "none or split", chip, 0, 0)}},
	[OP_VM_DUP] = {"vm-dup", {M, F(MACHINE, "another machine", other, 0)}},
	[OP_VM_CLOSE] = {"vm-close", {M, OPTIONAL(WORD, "keep-cpus", keep_cpus, 0, 0)}},
	[OP_IRQCHIP] = {"irqchip", {M, CHILD}},
	[OP_APIC] = {"apic",
		{M, F(NUMBER, "cpu", cpu, MAX_VCPUS - 1), F(NUMBER, "enabled", number, 1)}},
	[OP_EVENT] = {"event", {E, OPTIONAL(LONG, "count", value, UINT32_MAX, 0),
				       OPTIONAL(ONE, "semaphore", number, 0, 0)}},
	[OP_EVENT_DUP] = {"event-dup", {E, F(EVENT, "another eventfd", other, 0)}},
	[OP_CLOSE] = {"close", {E}},
	[OP_SIGNAL] = {"signal", {E, OPTIONAL(LONG, "value", value, UINT64_MAX, 1), CHILD}},
	[OP_ASSIGN] = {"assign", {BINDING}},
	[OP_DEASSIGN] = {"deassign", {BINDING}},
	[OP_ROUTE] = {"route", {M, FLAGS, ARGUMENT, OPTIONAL(WORD, "cut", cut, 0, 0),
				       OPTIONAL(ROUTES, "routes", routes, 0, 0)}},
	[OP_LINE] = {"line", {M, GSI, F(NUMBER, "level", number, UINT32_MAX),
				     OPTIONAL(WORD, "status", status, 0, 0), ARGUMENT}},
	[OP_MSI] = {"msi", {M, F(NUMBER, "dest", cpu, 255), F(NUMBER, "vector", vector, 255), FLAGS,
				   ARGUMENT}},
	[OP_IOAPIC] = {"ioapic", {M, PIN, REDIRECT(vector), REDIRECT(dest),
					 OPTIONAL(WORD, "level", redirection.level, 0, 0),
					 OPTIONAL(WORD, "masked", redirection.masked, 0, 0)}},
	[OP_CLEAR] = {"clear", {M}},
	[OP_SLOT] = {"slot",
		{M, ID, F(LONG, "gpa", memory.gpa, UINT64_MAX),
			F(LONG, "size", memory.size, MAX_SIZE), F(HVA, "hva", memory.hva, MAX_HVA),
			OPTIONAL(NUMBER, "flags", memory.flags, UINT32_MAX, 0), ARGUMENT}},
	[OP_GUEST_WRITE] = {"guest-write", {M, F(LONG, "gpa", gpa, UINT64_MAX)}},
	[OP_UNMAP] = {"unmap", {PAGE}},
	[OP_IOEVENT] = {"ioevent", {IOEVENT}},
	[OP_IOEVENT_OFF] = {"ioevent-off", {IOEVENT}},
	[OP_SHOW_IRR] = {"show-irr", {M}},
	[OP_SHOW_COUNT] = {"show-count", {E}},
	[OP_SHOW_POLL] = {"show-poll", {E}},
	[OP_SHOW_PIN] = {"show-pin", {M, PIN}},
	[OP_SHOW_PIC] = {"show-pic", {M}},
	[OP_SHOW_PAGE] = {"show-page", {PAGE}},
	[OP_SHOW_DIRTY] = {"show-dirty", {M, ID}},
};

/* Where in a step a field is. */
#define FIELD(type, step, field) ((type *)(void *)((char *)(step) + (field)->offset))
#define CONST_FIELD(type, step, field) \
	((const type *)(const void *)((const char *)(step) + (field)->offset))

static char wrong_text[160];

static const char *wrong(const char *format, const char *what)
{
	snprintf(wrong_text, sizeof(wrong_text), format, what);
	return wrong_text;
}

/* A letter and a number below @max. */
static bool parse_name(const char *word, char letter, unsigned int max, unsigned int *name)
{
	uint64_t number;

	if (word[0] != letter || !number_parse(word + 1, max - 1, &number))
		return false;
	*name = (unsigned int)number;
	return true;
}

static bool parse_target(const char *word, unsigned int *event)
{
	if (strcmp(word, "closed") == 0)
		*event = EVENT_CLOSED;
	else if (strcmp(word, "file") == 0)
		*event = EVENT_FILE;
	else
		return parse_name(word, 'e', MAX_EVENTS, event);
	return true;
}

static bool positional(enum kind kind)
{
	return kind == MACHINE || kind == EVENT || kind == TARGET;
}

static bool parse_position(const char *word, const struct field *field, struct step *step)
{
	unsigned int *name = FIELD(unsigned int, step, field);

	if (field->kind == MACHINE)
		return parse_name(word, 'm', MAX_MACHINES, name);
	if (field->kind == EVENT)
		return parse_name(word, 'e', MAX_EVENTS, name);
	return parse_target(word, name);
}

static bool parse_chip(const char *word, struct step *step)
{
	if (strcmp(word, "none") == 0)
		step->chip = CHIP_NONE;
	else if (strcmp(word, "split") == 0)
		step->chip = CHIP_SPLIT;
	else
		return false;
	return true;
}

static bool parse_value(const char *value, const struct field *field, struct step *step)
{
	uint64_t number;

	switch (field->kind) {
	case OTHER:
		step->has_other = true;
		return parse_target(value, &step->other);
	case HVA:
		if (strcmp(value, "unmapped") == 0)
			number = HVA_UNMAPPED;
		else if (strcmp(value, "kernel") == 0)
			number = HVA_KERNEL;
		else if (!number_parse(value, field->max, &number))
			return false;
		break;
	default:
		if (!number_parse(value, field->max, &number))
			return false;
	}
	if (field->kind == MATCH)
		step->ioevent.wildcard = false;
	if (field->kind == NUMBER)
		*FIELD(uint32_t, step, field) = (uint32_t)number;
	else
		*FIELD(uint64_t, step, field) = number;
	return true;
}

/* Is @word this field, by its key? */
static bool has_key(const char *word, const struct field *field, const char **value)
{
	size_t length = strlen(field->key);

	switch (field->kind) {
	case WORD:
	case ONE:
		return strcmp(word, field->key) == 0;
	case CHIP:
		return strcmp(word, "none") == 0 || strcmp(word, "split") == 0;
	case NONE:
	case MACHINE:
	case EVENT:
	case TARGET:
	case ROUTES:
		return false;
	default:
		*value = word + length + 1;
		return strncmp(word, field->key, length) == 0 && word[length] == '=';
	}
}

static const char *parse_keyed(
	const char *word, const struct form *form, unsigned int *seen, struct step *step)
{
	const struct field *field;
	const char *value = NULL;
	unsigned int bit;

	for (field = form->fields; field->kind != NONE; field++)
		if (has_key(word, field, &value))
			break;
	if (field->kind == NONE)
		return wrong("'%s' is not a part of this step", word);
	bit = 1u << (field - form->fields);
	if (*seen & bit)
		return wrong("'%s' is there twice", field->key);
	*seen |= bit;
	if (field->kind == WORD)
		*FIELD(bool, step, field) = true;
	else if (field->kind == ONE)
		*FIELD(uint32_t, step, field) = 1;
	else if (field->kind == CHIP)
		parse_chip(word, step);
	else if (!parse_value(value, field, step))
		return wrong("'%s' is not a value for this", word);
	return NULL;
}

static const char *parse_fields(char *text, const struct form *form, struct step *step)
{
	const struct field *field = form->fields;
	unsigned int seen = 0;
	char *word;

	while ((word = strsep(&text, " \t"))) {
		const char *complaint;

		if (!*word)
			continue;
		if (positional(field->kind)) {
			if (!parse_position(word, field, step))
				return wrong("'%s' is not a name here", word);
			field++;
			continue;
		}
		if (step->op == OP_ROUTE && *word >= '0' && *word <= '9')
			complaint = routes_parse(word, step);
		else
			complaint = parse_keyed(word, form, &seen, step);
		if (complaint)
			return complaint;
	}
	if (positional(field->kind))
		return wrong("%s is missing", field->key);
	for (field = form->fields; field->kind != NONE; field++)
		if (!positional(field->kind) && !field->optional &&
			!(seen & 1u << (field - form->fields)))
			return wrong("%s= is missing", field->key);
	return NULL;
}

static void set_fallbacks(const struct form *form, struct step *step)
{
	step->ioevent.wildcard = step->op == OP_IOEVENT || step->op == OP_IOEVENT_OFF;
	for (const struct field *field = form->fields; field->kind != NONE; field++) {
		if (field->kind == NUMBER)
			*FIELD(uint32_t, step, field) = (uint32_t)field->fallback;
		else if (field->kind == LONG)
			*FIELD(uint64_t, step, field) = field->fallback;
	}
}

const char *step_parse(char *text, struct step *step)
{
	char *name;
	const char *complaint;

	memset(step, 0, sizeof(*step));
	do
		name = strsep(&text, " \t");
	while (name && !*name);
	if (!name)
		return "no step";
	for (unsigned int op = 0; op < NR_OPS; op++) {
		if (strcmp(name, forms[op].name) != 0)
			continue;
		step->op = (enum op)op;
		set_fallbacks(&forms[op], step);
		complaint = parse_fields(text, &forms[op], step);
		if (complaint)
			step_free(step);
		return complaint;
	}
	return wrong("no step is called '%s'", name);
}

static void print_target(FILE *out, unsigned int event)
{
	if (event == EVENT_CLOSED)
		fputs("closed", out);
	else if (event == EVENT_FILE)
		fputs("file", out);
	else
		fprintf(out, "e%u", event);
}

static void print_number(FILE *out, const struct field *field, uint64_t number)
{
	if (field->kind != MATCH && field->optional && number == field->fallback)
		return;
	fprintf(out, " %s=", field->key);
	if (number == HVA_UNMAPPED && field->kind == HVA)
		fputs("unmapped", out);
	else if (number == HVA_KERNEL && field->kind == HVA)
		fputs("kernel", out);
	else if (field->kind == NUMBER)
		number_print(out, number);
	else
		fprintf(out, number < 10 ? "%llu" : "0x%llx", (unsigned long long)number);
}

static void print_field(FILE *out, const struct field *field, const struct step *step)
{
	static const char *const chips[] = {
		[CHIP_FULL] = "", [CHIP_NONE] = " none", [CHIP_SPLIT] = " split"};

	switch (field->kind) {
	case MACHINE:
		fprintf(out, " m%u", *CONST_FIELD(unsigned int, step, field));
		break;
	case EVENT:
	case TARGET:
		fputc(' ', out);
		print_target(out, *CONST_FIELD(unsigned int, step, field));
		break;
	case OTHER:
		if (step->has_other) {
			fprintf(out, " %s=", field->key);
			print_target(out, step->other);
		}
		break;
	case NUMBER:
		print_number(out, field, *CONST_FIELD(uint32_t, step, field));
		break;
	case LONG:
	case HVA:
		print_number(out, field, *CONST_FIELD(uint64_t, step, field));
		break;
	case MATCH:
		if (!step->ioevent.wildcard)
			print_number(out, field, step->ioevent.datamatch);
		break;
	case WORD:
		if (*CONST_FIELD(bool, step, field))
			fprintf(out, " %s", field->key);
		break;
	case ONE:
		if (*CONST_FIELD(uint32_t, step, field))
			fprintf(out, " %s", field->key);
		break;
	case CHIP:
		fputs(chips[step->chip], out);
		break;
	case ROUTES:
		routes_print(out, step);
		break;
	case NONE:
		break;
	}
}

void step_print(FILE *out, const struct step *step)
{
	const struct form *form = &forms[step->op];

	fputs(form->name, out);
	for (const struct field *field = form->fields; field->kind != NONE; field++)
		print_field(out, field, step);
}

char *step_text(const struct step *step)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		die(0, "no memory for a line");
	step_print(out, step);
	if (fclose(out) != 0)
		die(0, "no memory for a line");
	return text;
}

void step_free(struct step *step)
{
	free(step->routes);
	step->routes = NULL;
	step->nr_routes = 0;
}
