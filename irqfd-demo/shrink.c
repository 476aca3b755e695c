/* SPDX-License-Identifier: MIT */
/*
 * From a script on which the backends differ to a shortest one: leave out
 * ever smaller parts as long as a difference remains.
 */
#include "demo.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

struct step step_copy(const struct step *step)
{
	struct step copy = *step;

	if (step->nr_routes) {
		copy.routes = zalloc(step->nr_routes * sizeof(*copy.routes));
		memcpy(copy.routes, step->routes, step->nr_routes * sizeof(*copy.routes));
	}
	return copy;
}

bool script_differs(const struct script *script, struct difference *difference)
{
	const char *why;
	struct world *model = model_backend.begin(&why), *kvm = kvm_backend.begin(&why);
	bool differs = false;

	if (!model || !kvm)
		die(0, "no world: %s", why);
	for (size_t i = 0; i < script->nr_steps && !differs; i++) {
		difference->step = i;
		model_backend.run(model, &script->steps[i], NULL, difference->model);
		kvm_backend.run(kvm, &script->steps[i], difference->model, difference->kvm);
		differs = strcmp(difference->model, difference->kvm) != 0;
	}
	kvm_backend.end(kvm);
	model_backend.end(model);
	return differs;
}

static void cut_behind(struct script *script, size_t last)
{
	while (script->nr_steps > last + 1)
		step_free(&script->steps[--script->nr_steps]);
}

/* @script without steps @from to @to, nor those that then lack what they name. */
static struct script without(const struct script *script, size_t from, size_t to)
{
	struct script rest = {0};
	struct names names = {0};

	for (size_t i = 0; i < script->nr_steps; i++) {
		struct step step;

		if ((i >= from && i < to) || names_step(&names, &script->steps[i]))
			continue;
		step = step_copy(&script->steps[i]);
		script_add(&rest, &step);
	}
	return rest;
}

static bool leave_out(struct script *script, size_t from, size_t to, struct difference *difference)
{
	struct script rest = without(script, from, to);
	struct difference found;

	if (!script_differs(&rest, &found)) {
		script_free(&rest);
		return false;
	}
	cut_behind(&rest, found.step);
	script_free(script);
	*script = rest;
	*difference = found;
	return true;
}

void script_shrink(struct script *script, struct difference *difference)
{
	size_t part;

	cut_behind(script, difference->step);
	for (part = script->nr_steps / 2; part > 0;) {
		bool shorter = false;

		/* From the end: what comes late depends on what comes early. */
		for (size_t to = script->nr_steps; to > 0;) {
			size_t from = to > part ? to - part : 0;

			if (leave_out(script, from, to, difference)) {
				shorter = true;
				to = from < script->nr_steps ? from : script->nr_steps;
			} else {
				to = from;
			}
		}
		if (!shorter || part > 1)
			part = part > 1 ? part / 2 : 0;
	}
}
