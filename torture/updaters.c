/* SPDX-License-Identifier: MIT */
/*
 * Updaters: every way to wait for a grace period, and what must be true after it of
 * elements, cookies and the mailbox; barriers; floods of callbacks.
 */
#include "torture.h"

#include <errno.h>
#include <sched.h>

#define BATCH 24
#define FLOOD 20000

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/*
 * A reply by a section of before the latest grace period, which was not there at its
 * end, came after it.
 */
static void mail_check(const struct arena *arena)
{
	for (unsigned int i = 0; i < MAX_WORKERS; i++) {
		uint64_t number = load(&arena->replies[i].number);

		if (number != arena->seen[i] && number < arena->passed)
			failed(CHECK_MEMORY, "a section went on after a grace period", number);
	}
}

static uint64_t mail_send(struct arena *arena)
{
	uint64_t number = load(&arena->before) + 1;

	mail_check(arena);
	__atomic_store_n(&arena->before, number, __ATOMIC_RELAXED);
	return number;
}

static void mail_passed(struct arena *arena, uint64_t number)
{
	__atomic_store_n(&arena->after, number, __ATOMIC_RELAXED);
	arena->passed = number;
	for (unsigned int i = 0; i < MAX_WORKERS; i++)
		arena->seen[i] = load(&arena->replies[i].number);
}

static bool wait_some(struct srcu_struct *ssp, uint64_t *random)
{
	int error = synchronize_srcu_timeout(ssp, random_below(random, 2 * NS_PER_MS));

	if (error && error != -ETIMEDOUT)
		failed(CHECK_RETURN, "synchronize_srcu_timeout() failed", (uint64_t)-error);
	return !error;
}

static void poll_until_done(struct srcu_struct *ssp, uint64_t cookie)
{
	tally_up(COUNT_POLLS);
	while (!poll_state_synchronize_srcu(ssp, cookie))
		sched_yield();
	if (!poll_state_synchronize_srcu(ssp, cookie))
		failed(CHECK_COOKIE, "a cookie that was done is so no more", cookie);
}

/* Those of one domain that are not done are NUM_ACTIVE_SRCU_POLL_OLDSTATE at most. */
static void keep_cookie(struct worker *worker, const struct arena *arena, uint64_t cookie)
{
	uint64_t *slot = NULL;

	if (worker->cookies_of != arena)
		for (size_t i = 0; i < ARRAY_SIZE(worker->cookies); i++)
			worker->cookies[i] = get_completed_synchronize_srcu();
	worker->cookies_of = arena;
	for (size_t i = 0; i < ARRAY_SIZE(worker->cookies); i++) {
		if (same_state_synchronize_srcu(worker->cookies[i], cookie))
			return;
		if (poll_state_synchronize_srcu(arena->ssp, worker->cookies[i]))
			slot = &worker->cookies[i];
	}
	if (slot)
		*slot = cookie;
	else
		failed(CHECK_COOKIE, "too many cookies that differ are not done", cookie);
}

/* True when a grace period began after the call and has ended. */
static bool grace_period(struct worker *worker, struct arena *arena)
{
	struct srcu_struct *ssp = arena->ssp;
	uint64_t cookie;

	switch (random_below(&worker->random, 8)) {
	case 0:
	case 1:
		synchronize_srcu(ssp);
		return true;
	case 2:
	case 3:
		synchronize_srcu_expedited(ssp);
		return true;
	case 4:
		return wait_some(ssp, &worker->random);
	case 5:
		cond_synchronize_srcu(ssp, get_state_synchronize_srcu(ssp));
		return true;
	case 6:
		poll_until_done(ssp, start_poll_synchronize_srcu(ssp));
		return true;
	default:
		cookie = get_state_synchronize_srcu(ssp);
		keep_cookie(worker, arena, cookie);
		if (poll_state_synchronize_srcu(ssp, cookie))
			return true;
		cond_synchronize_srcu(ssp, cookie);
		return true;
	}
}

/* A grace period with what must be so after it. */
static bool checked_grace_period(struct worker *worker, struct arena *arena)
{
	bool with_cookie = random_below(&worker->random, 2), mail, passed;
	uint64_t cookie = 0, completed = 0, number = 0;

	/* Not between the stores and the grace period: it has a fence. */
	if (with_cookie) {
		completed = srcu_batches_completed(arena->ssp);
		cookie = get_state_synchronize_srcu(arena->ssp);
	}
	mail = !__atomic_exchange_n(&arena->mail_busy, 1, __ATOMIC_ACQUIRE);
	if (mail)
		number = mail_send(arena);
	passed = grace_period(worker, arena);
	if (mail && passed)
		mail_passed(arena, number);
	if (mail)
		__atomic_store_n(&arena->mail_busy, 0, __ATOMIC_RELEASE);
	if (!passed)
		return false;
	tally_up(COUNT_WAITS);
	if (with_cookie && !poll_state_synchronize_srcu(arena->ssp, cookie))
		failed(CHECK_COOKIE, "a cookie is not done after a grace period", cookie);
	if (with_cookie && srcu_batches_completed(arena->ssp) <= completed)
		failed(CHECK_SUMS, "a grace period has not been counted", completed);
	return true;
}

/* A grace period has passed for those of one arena. */
static void age_removed(struct worker *worker, const struct arena *arena, unsigned int n)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < worker->nr_removed; i++) {
		struct element *element = worker->removed[i];

		if (i < n && element->arena == arena && element_age(element))
			element_give_back(element);
		else
			worker->removed[kept++] = element;
	}
	worker->nr_removed = kept;
}

static void remove_one(struct worker *worker, struct arena *arena)
{
	struct element *old;

	if (worker->nr_removed == REMOVED)
		return;
	old = arena_replace(arena);
	if (old && random_below(&worker->random, 3) == 0)
		arena_call_to_free(arena, old);
	else if (old)
		worker->removed[worker->nr_removed++] = old;
}

static void update(struct worker *worker)
{
	struct arena *arena = random_arena(&worker->random);
	uint64_t most = 1 + random_below(&worker->random, 64);

	remove_one(worker, arena);
	if (random_below(&worker->random, 16) == 0)
		srcu_expedite_current(arena->ssp);
	if (random_below(&worker->random, 4) == 0 && srcu_run_callbacks(arena->ssp, most) > most)
		failed(CHECK_CALLBACK, "srcu_run_callbacks() invoked too many", most);
	if (checked_grace_period(worker, arena))
		age_removed(worker, arena, worker->nr_removed);
	dawdle(&worker->random);
}

static void update_no_more(struct worker *worker)
{
	while (worker->nr_removed) {
		const struct arena *arena = worker->removed[0]->arena;

		synchronize_srcu(arena->ssp);
		age_removed(worker, arena, worker->nr_removed);
	}
}

const struct job updater = {"updater", update, update_no_more, 0, false};

/* Callbacks of one barrier. */
struct batch_item {
	struct srcu_head head;
	struct arena *arena;
	bool lasts; /* a while */
	int invoked;
};

static void note_item(struct srcu_head *head)
{
	struct batch_item *item = (struct batch_item *)head;

	if (in_child)
		return;
	arena_invoked(item->arena);
	if (item->lasts)
		nap_ns(100 * NS_PER_US);
	__atomic_fetch_add(&item->invoked, 1, __ATOMIC_RELAXED);
}

/*
 * In a section, behind which none may be invoked, or after it; then none may be left
 * by the barrier.
 */
static void call_batch(struct worker *worker, struct arena *arena, struct batch_item *items)
{
	bool inside = random_below(&worker->random, 2);
	struct section section;

	if (inside)
		section_begin(&section, arena, FAST);
	for (unsigned int i = 0; i < BATCH; i++) {
		items[i] = (struct batch_item){.arena = arena,
			.lasts = i == BATCH - 1 && random_below(&worker->random, 4) == 0};
		arena_call(arena, &items[i].head, note_item);
	}
	if (!inside)
		return;
	dawdle(&worker->random);
	for (unsigned int i = 0; i < BATCH; i++)
		if (__atomic_load_n(&items[i].invoked, __ATOMIC_RELAXED))
			failed(CHECK_CALLBACK, "a callback was invoked in the section it is from",
				i);
	section_end(&section, worker->slot);
}

static bool any_left(const struct batch_item *items)
{
	for (unsigned int i = 0; i < BATCH; i++)
		if (!__atomic_load_n(&items[i].invoked, __ATOMIC_RELAXED))
			return true;
	return false;
}

static void wait_at_barrier(struct worker *worker)
{
	/* Not the thread's own: a child of fork() has its stack for other threads. */
	static struct batch_item items_of[MAX_WORKERS][BATCH];
	struct batch_item *items = items_of[worker->slot];
	struct arena *arena = random_arena(&worker->random);
	int error;

	call_batch(worker, arena, items);
	error = srcu_barrier(arena->ssp);
	if (error)
		failed(CHECK_RETURN, "srcu_barrier() failed", (uint64_t)-error);
	tally_up(COUNT_BARRIERS);
	for (unsigned int i = 0; i < BATCH; i++) {
		int invoked = __atomic_load_n(&items[i].invoked, __ATOMIC_RELAXED);

		if (invoked != 1)
			failed(CHECK_BARRIER, "a callback was not invoked once by a barrier's end",
				(uint64_t)invoked);
	}
	/* They will be, and must not find that their memory has gone. */
	while (any_left(items))
		nap_ns(NS_PER_MS);
	dawdle(&worker->random);
}

const struct job barrierer = {"barrier", wait_at_barrier, NULL, 0, false};

static uint64_t flood_invoked;

static void note_flood(struct srcu_head *head)
{
	if (in_child)
		return;
	arena_invoked(((struct batch_item *)head)->arena);
	__atomic_fetch_add(&flood_invoked, 1, __ATOMIC_RELAXED);
}

/* As many callbacks as come, all behind one section. */
static void flood(struct worker *worker)
{
	static struct batch_item items[FLOOD];
	struct arena *arena = random_arena(&worker->random);
	struct section section;

	flood_invoked = 0;
	section_begin(&section, arena, INT);
	for (unsigned int i = 0; i < FLOOD; i++) {
		items[i].arena = arena;
		arena_call(arena, &items[i].head, note_flood);
	}
	if (load(&flood_invoked))
		failed(CHECK_CALLBACK, "callbacks were invoked in the section they are from",
			load(&flood_invoked));
	section_end(&section, worker->slot);
	srcu_barrier(arena->ssp);
	if (load(&flood_invoked) != FLOOD)
		failed(CHECK_BARRIER, "callbacks of a flood are left by a barrier",
			FLOOD - load(&flood_invoked));
	tally_up(COUNT_FLOODS);
	nap_ns(20 * NS_PER_MS);
}

const struct job flooder = {"flood", flood, NULL, 0, false};
