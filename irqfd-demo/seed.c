/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo seed: the list of seeds, and what they have in common.
 */
#include "seed.h"

#include "demo.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLEEPS 4 /* more than a thread needs that waits for nothing */

static const struct {
	const char *name;
	seed_fn *show;
} seeds[] = {
	{"000", seed_000},
	{"001", seed_001},
	{"002", seed_002},
	{"003", seed_003},
	{"004", seed_004},
};

seed_fn *seed_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
		if (strcmp(name, seeds[i].name) == 0)
			return seeds[i].show;
	return NULL;
}

static bool run_part(const struct seed_part *part, bool without)
{
	char saw[SEED_SAW_SIZE] = "";
	bool right = part->run(without, saw);

	printf("  %-7s %s: %s\n", without ? "without" : "with", part->mechanism, saw);
	if (right == without)
		printf("  NOT AS EXPECTED: that is %s\n", right ? "right" : "wrong");
	fflush(stdout);
	return right != without;
}

int seed_show(const struct seed_part *parts, size_t nr)
{
	bool good = true;

	for (size_t i = 0; i < nr; i++) {
		printf("\n%s\n", parts[i].what);
		good &= run_part(&parts[i], false);
		good &= run_part(&parts[i], true);
	}
	return good ? 0 : 1;
}

static void *thread_main(void *argument)
{
	struct seed_thread *thread = argument;

	__atomic_store_n(&thread->tid, (int)gettid(), __ATOMIC_RELAXED);
	thread->body(thread->data);
	__atomic_store_n(&thread->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

void seed_thread_start(struct seed_thread *thread)
{
	thread->thread = thread_spawn(thread_main, thread, "other");
}

/*
 * Does the thread sleep in the kernel?  Who waits for readers sleeps again and
 * again, and on a busy machine is hardly ever met asleep; so it is one, too, that
 * has slept several times.
 */
static bool asleep(int tid)
{
	char path[64], line[128], state = 0;
	unsigned long slept = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	file = tid ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "State: %c", &state) != 1)
			(void)sscanf(line, "voluntary_ctxt_switches: %lu", &slept);
	fclose(file);
	return state == 'S' || slept >= SLEEPS;
}

bool seed_thread_await(const struct seed_thread *thread, bool waits)
{
	bool done;

	while (!(done = __atomic_load_n(&thread->done, __ATOMIC_ACQUIRE)) &&
		!(waits && asleep(__atomic_load_n(&thread->tid, __ATOMIC_RELAXED))))
		sched_yield();
	return done;
}

void seed_thread_join(struct seed_thread *thread)
{
	pthread_join(thread->thread, NULL);
}
