/* SPDX-License-Identifier: MIT */
/*
 * Scripts: reading them from files, line by line, and keeping their names in
 * order.
 */
#include "scenario.h"

#include "demo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *feature_name(unsigned int number)
{
	static const char *const names[NR_FEATURES] = {"global-ebusy", "one-address-space"};

	return number < NR_FEATURES ? names[number] : NULL;
}

void script_add(struct script *script, struct step *step)
{
	if (script->nr_steps == script->room) {
		script->room = script->room ? 2 * script->room : 64;
		script->steps = realloc(script->steps, script->room * sizeof(*script->steps));
		if (!script->steps)
			die(0, "no memory for a script");
	}
	script->steps[script->nr_steps++] = *step;
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->nr_steps; i++)
		step_free(&script->steps[i]);
	free(script->steps);
	memset(script, 0, sizeof(*script));
}

/* By a descriptor of its own, or by its CPUs' alone. */
static const char *cpus_known(const struct names *names, unsigned int machine)
{
	return names->machine[machine] ? NULL : "there is no such machine";
}

static const char *machine_known(const struct names *names, unsigned int machine)
{
	const char *wrong = cpus_known(names, machine);

	if (!wrong && names->only_cpus[machine])
		wrong = "only the machine's CPUs are open";
	return wrong;
}

static const char *event_known(const struct names *names, unsigned int event)
{
	if (event == EVENT_CLOSED || event == EVENT_FILE || names->event[event])
		return NULL;
	return "there is no such eventfd";
}

static const char *cpu_known(const struct names *names, const struct step *step, unsigned int cpu)
{
	const char *wrong = cpus_known(names, step->machine);

	if (wrong)
		return wrong;
	return cpu < names->cpus[step->machine] ? NULL : "the machine has no such CPU";
}

static const char *new_machine(struct names *names, const struct step *step, unsigned int cpus)
{
	if (names->machine[step->machine])
		return "the machine's name is taken";
	names->machine[step->machine] = true;
	names->cpus[step->machine] = cpus;
	return NULL;
}

static const char *close_machine(struct names *names, const struct step *step)
{
	const char *wrong = step->keep_cpus ? machine_known(names, step->machine)
					    : cpus_known(names, step->machine);

	if (wrong)
		return wrong;
	names->machine[step->machine] = step->keep_cpus;
	names->only_cpus[step->machine] = step->keep_cpus;
	return NULL;
}

static const char *new_event(struct names *names, const struct step *step)
{
	if (names->event[step->event])
		return "the eventfd's name is taken";
	names->event[step->event] = true;
	return NULL;
}

static const char *binding_known(
	const struct names *names, const struct step *step, uint32_t own_flags)
{
	const char *wrong = machine_known(names, step->machine);

	if (step->flags & own_flags)
		return "the lowest of these flags have words of their own";

	if (!wrong)
		wrong = event_known(names, step->event);
	if (!wrong && step->has_other)
		wrong = event_known(names, step->other);
	return wrong;
}

const char *names_step(struct names *names, const struct step *step)
{
	const char *wrong;

	switch (step->op) {
	case OP_VM:
		return new_machine(names, step, step->number);
	case OP_VM_DUP:
		wrong = machine_known(names, step->other);
		return wrong ? wrong : new_machine(names, step, names->cpus[step->other]);
	case OP_VM_CLOSE:
		return close_machine(names, step);
	case OP_EVENT:
		return new_event(names, step);
	case OP_EVENT_DUP:
		wrong = event_known(names, step->other);
		return wrong ? wrong : new_event(names, step);
	case OP_CLOSE:
		wrong = event_known(names, step->event);
		names->event[step->event] = false;
		return wrong;
	case OP_SIGNAL:
	case OP_SHOW_COUNT:
	case OP_SHOW_POLL:
		return event_known(names, step->event);
	case OP_ASSIGN:
	case OP_DEASSIGN:
		return binding_known(names, step, 0x3);
	case OP_IOEVENT:
	case OP_IOEVENT_OFF:
		return binding_known(names, step, 0x7);
	case OP_APIC:
		return cpu_known(names, step, step->cpu);
	case OP_GUEST_WRITE:
		/* KVM takes address 0 for the wish to have nothing written. */
		if (!step->gpa)
			return "the address is 0";
		wrong = machine_known(names, step->machine);
		return wrong ? wrong : cpu_known(names, step, 0);
	case OP_CLEAR:
	case OP_SHOW_IRR:
		return cpus_known(names, step->machine);
	case OP_UNMAP:
	case OP_SHOW_PAGE:
		return NULL;
	default:
		return machine_known(names, step->machine);
	}
}

static const char *parse_requirement(const char *text, unsigned int *requires)
{
	text += strspn(text, " \t");
	for (unsigned int i = 0; feature_name(i); i++) {
		if (strcmp(text, feature_name(i)) == 0) {
			*requires |= 1u << i;
			return NULL;
		}
	}
	return "a script can require global-ebusy or one-address-space";
}

/* One line, without its end. */
static const char *parse_line(char *text, struct script *script, struct names *names)
{
	static const char requires[] = "requires ";
	struct step step;
	const char *wrong;
	size_t length;

	text[strcspn(text, "#")] = '\0';
	text += strspn(text, " \t");
	length = strlen(text);
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		text[--length] = '\0';
	if (!*text)
		return NULL;
	if (strncmp(text, requires, strlen(requires)) == 0) {
		if (script->nr_steps > 0)
			return "what a script requires is said before its steps";
		return parse_requirement(text + strlen(requires), &script->requires);
	}
	wrong = step_parse(text, &step);
	if (wrong)
		return wrong;
	wrong = names_step(names, &step);
	if (wrong)
		step_free(&step);
	else
		script_add(script, &step);
	return wrong;
}

bool script_read(const char *path, struct script *script)
{
	struct names names = {0};
	unsigned long number = 0;
	const char *wrong = NULL;
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");

	memset(script, 0, sizeof(*script));
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	while (!wrong && getline(&line, &size, file) >= 0) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		wrong = parse_line(line, script, &names);
	}
	if (wrong)
		fprintf(stderr, "%s:%lu: %s\n", path, number, wrong);
	else if (ferror(file))
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	else if (script->nr_steps == 0)
		fprintf(stderr, "%s: no steps\n", path);
	free(line);
	fclose(file);
	if (script->nr_steps > 0 && !wrong)
		return true;
	script_free(script);
	return false;
}
