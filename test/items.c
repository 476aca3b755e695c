/* SPDX-License-Identifier: MIT */
/* What items.h declares. */
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "items.h"

void init_static_domain(struct srcu_struct *ssp)
{
	const struct srcu_struct fresh = SRCU_STRUCT_INIT_(domain);

	warnings_collect();
	memcpy(ssp, &fresh, sizeof(*ssp));
}

void init_domain(struct srcu_struct *ssp, enum srcu_callback_mode mode)
{
	const struct srcu_options options = {.callbacks = mode};

	init_static_domain(ssp);
	if (!forced("nomemory"))
		ck_assert_int_eq(init_srcu_struct_with(ssp, &options), 0);
	else if (mode == SRCU_CALLBACKS_THREADS)
		ck_assert_int_eq(srcu_start_callbacks(), 0);
}

void assert_clean(struct srcu_struct *ssp)
{
	ck_assert_int_eq(cleanup_srcu_struct(ssp), 0);
	ck_assert_uint_eq(warnings(), 0);
}

static uint64_t invoked;
static unsigned int last_number;
static bool in_order = true;

struct item *item_of(struct srcu_head *head)
{
	return (struct item *)((char *)head - offsetof(struct item, head));
}

static void count_one(void)
{
	__atomic_fetch_add(&invoked, 1, __ATOMIC_RELEASE);
}

void note(struct srcu_head *head)
{
	struct item *item = item_of(head);

	in_order &= item->number == last_number + 1;
	last_number = item->number;
	count_one();
	set_flag(&item->invoked);
}

void note_and_free(struct srcu_head *head)
{
	free(item_of(head));
	count_one();
}

void block(struct srcu_head *head)
{
	struct item *item = item_of(head);

	item->invoker = gettid();
	set_flag(&item->invoked);
	await_flag(&item->may_return);
	count_one();
}

uint64_t items_invoked(void)
{
	return __atomic_load_n(&invoked, __ATOMIC_ACQUIRE);
}

void assert_callbacks_work(struct srcu_struct *ssp)
{
	enum { SOME = 50 };
	static struct item items[SOME];
	uint64_t before = items_invoked();

	for (unsigned int i = 0; i < SOME; i++)
		ck_assert_int_eq(call_srcu(ssp, &items[i].head, note), 0);
	ck_assert_int_eq(srcu_barrier(ssp), 0);
	ck_assert_uint_eq(items_invoked(), before + SOME);
}

bool items_in_order(void)
{
	return in_order;
}

static void *call_barrier(void *arg)
{
	struct barrier_caller *caller = arg;

	__atomic_store_n(&caller->tid, gettid(), __ATOMIC_RELEASE);
	ck_assert_int_eq(srcu_barrier(caller->ssp), 0);
	set_flag(&caller->returned);
	return NULL;
}

void barrier_start(struct barrier_caller *caller, struct srcu_struct *ssp)
{
	caller->ssp = ssp;
	caller->tid = 0;
	caller->returned = 0;
	caller->thread = thread_start(call_barrier, caller);
}

/* Of threads: how many there are, how many sleep, and how often they went to sleep. */
struct tally {
	unsigned int threads;
	unsigned int asleep;
	uint64_t switches;
};

/* Count the thread unless it has another name, or has ended. */
static void count_thread(const char *tid, const char *name, struct tally *tally)
{
	char path[300], line[128], state = 0;
	uint64_t switches = 0;
	bool ours = false;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", tid);
	status = fopen(path, "r");
	if (!status)
		return;
	while (fgets(line, sizeof(line), status)) {
		if (!strncmp(line, "Name:\t", 6))
			ours = !strncmp(line + 6, name, strlen(name));
		sscanf(line, "State: %c", &state);
		sscanf(line, "voluntary_ctxt_switches: %lu", &switches);
	}
	fclose(status);
	if (!ours)
		return;
	tally->threads++;
	tally->asleep += state == 'S';
	tally->switches += switches;
}

static struct tally count_threads(const char *name)
{
	struct tally tally = {0};
	struct dirent *entry;
	DIR *tasks = opendir("/proc/self/task");

	ck_assert_ptr_nonnull(tasks);
	while ((entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			count_thread(entry->d_name, name, &tally);
	closedir(tasks);
	return tally;
}

unsigned int library_threads(const char *name)
{
	return count_threads(name).threads;
}

uint64_t library_switches(void)
{
	return count_threads("srcu-").switches;
}

void await_library_asleep(const char *name)
{
	while (!count_threads(name).asleep)
		sched_yield();
}
