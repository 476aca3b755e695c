/* SPDX-License-Identifier: MIT */
/*
 * The arena; host.h says what it is for.  Owns its bytes, how often each page has
 * changed its frame, and the list of listeners.  Bytes and counts are shared
 * without a lock and accessed atomically.
 */
#include "host.h"

#include "demo.h"

#include <seqcount/seqcount.h>

#include <string.h>

#define ARENA_SIZE ((uint64_t)ARENA_PAGES << GUEST_PAGE_SHIFT)

static unsigned char arena[ARENA_PAGES][GUEST_PAGE_SIZE];
static uint64_t changes[ARENA_PAGES];

/* Under host_lock. */
static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;
static struct host_listener *listeners;

static void page_clean(unsigned int page)
{
	unsigned char clean[GUEST_PAGE_SIZE];

	memset(clean, HOST_CLEAN, sizeof(clean));
	seqcount_store(arena[page], clean, sizeof(clean));
}

void host_listen(struct host_listener *listener)
{
	pthread_mutex_lock(&host_lock);
	listener->next = listeners;
	listeners = listener;
	pthread_mutex_unlock(&host_lock);
}

void host_unlisten(struct host_listener *listener)
{
	struct host_listener **at = &listeners;

	pthread_mutex_lock(&host_lock);
	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	pthread_mutex_unlock(&host_lock);
}

void host_remap(unsigned int page)
{
	uint64_t first = (uint64_t)page << GUEST_PAGE_SHIFT, end = first + GUEST_PAGE_SIZE;

	pthread_mutex_lock(&host_lock);
	for (struct host_listener *l = listeners; l; l = l->next)
		l->invalidate_start(l, first, end);
	page_clean(page);
	/* C: the new frame before invalidate_end(); mmu.c has its partners. */
	__atomic_fetch_add(&changes[page], 1, __ATOMIC_RELAXED);
	for (struct host_listener *l = listeners; l; l = l->next)
		l->invalidate_end(l, first, end);
	pthread_mutex_unlock(&host_lock);
}

void host_clean(void)
{
	for (unsigned int page = 0; page < ARENA_PAGES; page++)
		host_remap(page);
}

/* No two pages, and no page twice, are on the same frame. */
uint64_t host_frame(uint64_t hva)
{
	uint64_t page = hva >> GUEST_PAGE_SHIFT;

	if (hva >= ARENA_SIZE)
		return 0;
	return __atomic_load_n(&changes[page], __ATOMIC_RELAXED) * ARENA_PAGES + page + 1;
}

bool host_load(uint64_t hva, void *to, size_t n)
{
	if (hva >= ARENA_SIZE)
		return false;
	seqcount_load(to, &arena[0][0] + hva, n);
	return true;
}

bool host_store(uint64_t hva, const void *from, size_t n)
{
	if (hva >= ARENA_SIZE)
		return false;
	seqcount_store(&arena[0][0] + hva, from, n);
	return true;
}

bool host_take_written(unsigned int page)
{
	unsigned char bytes[GUEST_PAGE_SIZE];
	bool written = false;

	seqcount_load(bytes, arena[page], sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		written |= bytes[i] != HOST_CLEAN;
	page_clean(page);
	return written;
}
