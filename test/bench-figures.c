// SPDX-License-Identifier: MIT
/*
 * What srcu-bench concludes from repetitions, and from the machine's noise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figures.h"
#include "bench/noise.h"
#include "bench/shim.h"

static int failures;

#define EXPECT(condition)                                                      \
	do {                                                                   \
		if (!(condition)) {                                            \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                            \
		}                                                              \
	} while (0)

/* What noise.c has from the rest of the program. */
void pin_here(void)
{
}

uint64_t clock_ns(void)
{
	static uint64_t ns;

	return ns += 1000;
}

/* One with a peer, and at most a bound; one without a peer. */
static const char paired[] = "read/srcu_fast", peer[] = "read/urcu_memb";
static const char single[] = "scan/cpus:64";

struct wanted {
	const char *name;
	struct result result;
	unsigned int found;
};

static void look(void *arg, const struct result *r)
{
	struct wanted *wanted = arg;

	if (strcmp(r->figure->name, wanted->name))
		return;
	if (!wanted->found++)
		wanted->result = *r;
}

static struct result result_of(const char *name)
{
	struct wanted wanted = {.name = name};

	figures_each(look, &wanted);
	EXPECT(wanted.found >= 1);
	return wanted.result;
}

static void add(const char *name, const double *values, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		figures_add(name, values[i]);
}

/* The bound is between the quartiles of the ratios 0.9, 1, 1.1, 1.2 and 1.3. */
static void noisy_ratio(void)
{
	const double ours[] = {90, 110, 120, 130, 100}, theirs[] = {100, 100, 100, 100, 100};
	struct result r;

	add(paired, ours, 5);
	add(peer, theirs, 5);
	r = result_of(paired);
	EXPECT(r.ours == 110 && r.theirs == 100);
	EXPECT(r.low == 1.0 && r.high == 1.2);
	EXPECT(r.figure->kind == AT_MOST && r.low < r.figure->bound && r.figure->bound < r.high);
	EXPECT(!strcmp(r.verdict, "noisy"));
}

/* More repetitions of the same: the bound is beyond the quartiles. */
static void missed_ratio(void)
{
	const double ours[] = {120, 120, 120, 120, 120}, theirs[] = {100, 100, 100, 100, 100};
	struct result r;

	for (int i = 0; i < 4; i++) {
		add(paired, ours, 5);
		add(peer, theirs, 5);
	}
	r = result_of(paired);
	EXPECT(r.low == 1.2 && r.high == 1.2);
	EXPECT(!strcmp(r.verdict, "missed"));
}

static void held_value(void)
{
	const double ours[] = {2, 3, 2.5};
	struct result r;

	add(single, ours, 2);
	EXPECT(result_of(single).high == 0);
	figures_add(single, ours[2]);
	r = result_of(single);
	EXPECT(!r.figure->beside && r.value == 2.5 && r.low == 2 && r.high == 3);
	EXPECT(!strcmp(r.verdict, "holds"));
}

static void table(void)
{
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		exit(99);
	figures_print(to);
	fclose(to);
	EXPECT(strstr(text, "1.2-1.2"));
	EXPECT(strstr(text, "Bounds: 1 hold, 1 missed, 0 noisy"));
	free(text);
}

static void noise(void)
{
	const struct noise quiet = {.probes = 100,
		.low_ns = 100,
		.median_ns = 101,
		.high_ns = 102,
		.cpu_share = 1,
		.load = 2};
	struct noise n;
	char text[256];

	EXPECT(!noise_end(&n));
	noise_begin();
	for (int i = 0; i < 3; i++)
		noise_probe();
	EXPECT(noise_end(&n));
	/* By the clock above. */
	EXPECT(n.probes == 3 && n.low_ns == 1000 && n.high_ns == 1000);

	EXPECT(!noise_warning(&quiet, text, sizeof(text)));
	n = quiet;
	n.high_ns = 120;
	EXPECT(noise_warning(&n, text, sizeof(text)) && strstr(text, "20 % apart"));
	n.cpu_share = 0.5;
	EXPECT(noise_warning(&n, text, sizeof(text)) && strstr(text, "; the program had its CPU"));
	n = quiet;
	n.steal = 0.02;
	EXPECT(noise_warning(&n, text, sizeof(text)) && strstr(text, "hypervisor took 2.0 %"));
	n = quiet;
	n.others = 0.1;
	EXPECT(noise_warning(&n, text, sizeof(text)) && strstr(text, "other programs used 10 %"));
	EXPECT(noise_warning(&n, text, 8) && strlen(text) == 7);
}

int main(void)
{
	noisy_ratio();
	missed_ratio();
	held_value();
	table();
	noise();
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
