/* SPDX-License-Identifier: MIT */
/*
 * Arenas: a domain, its elements and its mailbox.  Elements are replaced by updaters
 * and come back to the pool after STAGES grace periods; none may be missing when
 * everybody has stopped.
 */
#include "torture.h"

#include <stdlib.h>
#include <string.h>

DEFINE_STATIC_SRCU(fixed_domain);

struct arena *arenas[MAX_DOMAINS];
unsigned int nr_arenas;
bool in_child;
uint64_t longest_ns, grace_periods;

void random_domain(struct srcu_options *options, uint64_t *random)
{
	*options = (struct srcu_options){.name = "torture"};
	if (random_below(random, 4) == 0)
		options->readers = SRCU_READERS_FENCED;
	if (random_below(random, 2))
		options->updates = SRCU_UPDATES_CLASSIC;
	if (random_below(random, 4) == 0)
		options->callbacks = SRCU_CALLBACKS_CALLER;
	options->debug = random_below(random, 16) == 0;
}

static void pool_put(struct arena *arena, struct element *element)
{
	element->next = arena->pool;
	arena->pool = element;
	arena->pooled++;
}

static struct element *pool_get(struct arena *arena)
{
	struct element *element = arena->pool;

	if (element) {
		arena->pool = element->next;
		arena->pooled--;
		element->generation = ++arena->generation;
		element->inverse = ~element->generation;
		__atomic_store_n(&element->pipe, 0, __ATOMIC_RELAXED);
	}
	return element;
}

/* Publish another element; the old one, or NULL when there is no other. */
struct element *arena_replace(struct arena *arena)
{
	struct element *element, *old = NULL;

	pthread_mutex_lock(&arena->lock);
	element = pool_get(arena);
	if (element) {
		old = arena->current;
		srcu_assign_pointer(arena->current, element);
		__atomic_store_n(&old->pipe, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&arena->lock);
	return old;
}

/* A grace period has passed; true when the element has seen enough of them. */
bool element_age(struct element *element)
{
	return __atomic_add_fetch(&element->pipe, 1, __ATOMIC_RELAXED) > STAGES;
}

void element_give_back(struct element *element)
{
	struct arena *arena = element->arena;

	pthread_mutex_lock(&arena->lock);
	/* So that a reader sees it whatever has become of the pipe. */
	element->generation = 0;
	pool_put(arena, element);
	pthread_mutex_unlock(&arena->lock);
}

int arena_call(struct arena *arena, struct srcu_head *head, void (*func)(struct srcu_head *))
{
	int error;

	/* First, for it may be invoked before call_srcu() returns. */
	__atomic_fetch_add(&arena->queued, 1, __ATOMIC_RELAXED);
	error = call_srcu(arena->ssp, head, func);
	if (error)
		failed(CHECK_RETURN, "call_srcu() did not take a callback", (uint64_t)-error);
	return error;
}

void arena_invoked(struct arena *arena)
{
	__atomic_fetch_add(&arena->invoked, 1, __ATOMIC_RELAXED);
	tally_up(COUNT_CALLBACKS);
}

static void age_again(struct srcu_head *head)
{
	struct element *element = (struct element *)head;
	struct arena *arena = element->arena;

	/* A thread that is not there may have the lock. */
	if (in_child)
		return;
	arena_invoked(arena);
	if (element_age(element))
		element_give_back(element);
	else
		arena_call(arena, head, age_again);
}

/* Have callbacks take the element through its stages. */
void arena_call_to_free(struct arena *arena, struct element *element)
{
	arena_call(arena, &element->head, age_again);
}

static void arena_fill(struct arena *arena)
{
	pthread_mutex_init(&arena->lock, NULL);
	for (unsigned int i = 0; i < ELEMENTS; i++) {
		arena->elements[i].arena = arena;
		pool_put(arena, &arena->elements[i]);
	}
	arena->current = pool_get(arena);
}

static struct arena *arena_new(uint64_t *random)
{
	struct arena *arena = zalloc_lines(sizeof(*arena));
	struct srcu_options options;
	int error;

	random_domain(&options, random);
	arena->ssp = zalloc_lines(sizeof(*arena->ssp));
	arena->by_caller = options.callbacks == SRCU_CALLBACKS_CALLER;
	error = init_srcu_struct_with(arena->ssp, &options);
	/* Where there is no memory, a domain that needs no initialisation goes on without. */
	if (error) {
		free(arena->ssp);
		arena->ssp = &fixed_domain;
		arena->fixed = true;
		arena->by_caller = false;
	}
	arena_fill(arena);
	tally_up(COUNT_DOMAINS);
	return arena;
}

static struct arena *arena_new_fixed(void)
{
	struct arena *arena = zalloc_lines(sizeof(*arena));

	arena->ssp = &fixed_domain;
	arena->fixed = true;
	arena_fill(arena);
	return arena;
}

/* One of @n, at times, is a static domain. */
void arenas_begin(unsigned int n, uint64_t *random)
{
	struct srcu_stats stats = {0};

	for (unsigned int i = 0; i < n; i++)
		arenas[i] =
			!i && random_below(random, 3) == 0 ? arena_new_fixed() : arena_new(random);
	nr_arenas = n;
	srcu_get_stats(&fixed_domain, &stats);
	for (unsigned int i = 0; i < n; i++)
		if (arenas[i]->fixed)
			arenas[i]->base = stats.invoked;
}

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static void check_readers(const struct arena *arena)
{
	struct srcu_stats stats = {0};

	if (srcu_get_stats(arena->ssp, &stats))
		failed(CHECK_RETURN, "srcu_get_stats() failed", 0);
	if (stats.readers)
		failed(CHECK_SUMS, "readers are left in a domain without any", stats.readers);
}

/* Everybody has stopped: with as many barriers as there are stages all elements are back. */
static void settle(const struct arena *arena)
{
	/* First, for it would be waited for. */
	check_readers(arena);
	synchronize_srcu(arena->ssp);
	for (unsigned int i = 0; i < STAGES; i++)
		if (srcu_barrier(arena->ssp))
			failed(CHECK_RETURN, "srcu_barrier() failed at the end", i);
	if (arena->pooled != ELEMENTS - 1)
		failed(CHECK_PROGRESS, "elements are not back after their grace periods",
			ELEMENTS - 1 - arena->pooled);
	if (load(&arena->queued) != load(&arena->invoked))
		failed(CHECK_BARRIER, "callbacks are left after the last barrier",
			load(&arena->queued) - load(&arena->invoked));
}

/* The library's figures; @others: what other arenas did to the same domain. */
static void check_stats(const struct arena *arena, uint64_t others)
{
	struct srcu_stats stats = {0};

	if (srcu_get_stats(arena->ssp, &stats))
		failed(CHECK_RETURN, "srcu_get_stats() failed", 0);
	if (stats.queued != arena->base + others + load(&arena->queued))
		failed(CHECK_SUMS, "not as many callbacks queued as there were", stats.queued);
	if (stats.invoked != stats.queued)
		failed(CHECK_SUMS, "not as many callbacks invoked as queued", stats.invoked);
	if (stats.longest_ns > longest_ns)
		longest_ns = stats.longest_ns;
	if (!arena->fixed)
		grace_periods += stats.grace_periods;
}

static void arena_end(struct arena *arena)
{
	if (!arena->fixed) {
		int error = cleanup_srcu_struct(arena->ssp);

		/* What is in use still is not freed; this is the last round. */
		if (error) {
			failed(CHECK_RETURN, "cleanup_srcu_struct() failed", (uint64_t)-error);
			return;
		}
		free(arena->ssp);
	}
	if (all_failures())
		return;
	pthread_mutex_destroy(&arena->lock);
	free(arena);
}

void arenas_end(void)
{
	uint64_t fixed_calls = 0;

	for (unsigned int i = 0; i < nr_arenas; i++) {
		settle(arenas[i]);
		if (arenas[i]->fixed)
			fixed_calls += load(&arenas[i]->queued);
	}
	for (unsigned int i = 0; i < nr_arenas; i++)
		check_stats(
			arenas[i], arenas[i]->fixed ? fixed_calls - load(&arenas[i]->queued) : 0);
	for (unsigned int i = 0; i < nr_arenas; i++)
		arena_end(arenas[i]);
	nr_arenas = 0;
}

/* The end of the static domain. */
void arenas_close(void)
{
	if (cleanup_srcu_struct(&fixed_domain))
		failed(CHECK_RETURN, "cleanup_srcu_struct() failed on the static domain", 0);
}
