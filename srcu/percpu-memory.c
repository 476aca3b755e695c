/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU memory itself: a window of reserved address space, cut into
 * chunks; a chunk has a header and one slice per possible CPU, a slice has 128
 * units of 32 bytes.  Object k of a chunk is unit k of every slice.
 *
 *   window  | never opened | chunk 0 | chunk 1 | ...   reserved PROT_NONE
 *   chunk   | header | CPU 0's slice | CPU 1's | ... | twin's slice
 *   slice   | unit 0 | unit 1 | ... | unit 127 | a line of padding
 *
 * The padding makes the distance between slices no multiple of 4 KiB, and
 * slices never share a cache line.  Nothing is unmapped, so a stale token never
 * leads to foreign memory.  The start is never opened: there the small numbers
 * lead that a program may mistake for int tokens.  Memory that was never touched is zero, which is
 * the right initial state of headers and units alike.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "percpu-memory.h"

#define UNITS     128
#define MAP_WORDS (UNITS / 64)
#define HEADER    1088

struct chunk {
	uint64_t used[MAP_WORDS];  /* units in use */
	uint64_t first[MAP_WORDS]; /* of those, the first one of each object */
	uint64_t last[MAP_WORDS];  /* and the last one */
	uint32_t kind;             /* enum percpu_kind, 0 until the first use */
	uint32_t opened;           /* slices that are accessible */
	void *owner[UNITS];        /* what its owner has said of each unit */
};

_Static_assert(sizeof(struct chunk) <= HEADER, "slices begin behind the header");
_Static_assert(SRCU_PERCPU_STRIDE == 64 + PERCPU_UNIT * UNITS, "a slice and a line");
_Static_assert(SRCU_PERCPU_MAX == 64 * PERCPU_UNIT, "an object lies in one map word");

/* The window's base with the logarithm of its size in the low bits; 0: not made yet. */
static uintptr_t window_word;

static uint32_t chunks_open; /* chunks whose header is accessible */

/* By kind: the first chunk that may have room. */
static uint32_t chunks_first[PERCPU_OBJECTS + 1];

static size_t page_round(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) & ~(page - 1);
}

static size_t chunk_size(void)
{
	return page_round(HEADER + ((size_t)nr_possible_cpus() + 1) * SRCU_PERCPU_STRIDE);
}

/* Reserve @size bytes, a power of two, aligned to their size; 0 when refused. */
static uintptr_t reserve(size_t size)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	void *map = mmap(NULL, 2 * size, PROT_NONE, flags, -1, 0);
	uintptr_t low, base;

	if (map == MAP_FAILED)
		return 0;
	low = (uintptr_t)map;
	base = (low + size - 1) & ~(size - 1);
	if (base > low)
		munmap(map, base - low);
	munmap((void *)(base + size), low + size - base);
	madvise((void *)base, size, MADV_NOHUGEPAGE);
	/* Debuggers would write all of it into a core file. */
	madvise((void *)base, size, MADV_DONTDUMP);
	return base;
}

/*
 * The window's size is halved until the limits on address space allow it.
 * Aligned to its size it never crosses a multiple of 32 GiB, which is what an
 * int token is relative to.
 */
static uintptr_t window_make(void)
{
	unsigned int shift = sizeof(uintptr_t) > 4 ? SRCU_WINDOW_SHIFT_ : 26;
	uintptr_t base;

	if (srcu_forced(FORCE_NOMEMORY))
		return 0;
	for (; (size_t)1 << shift >= 2 * chunk_size(); shift--) {
		base = reserve((size_t)1 << shift);
		if (base)
			return base | shift;
	}
	return 0;
}

static uintptr_t window_base(uintptr_t window)
{
	return window & ~(uintptr_t)63;
}

static size_t window_size(uintptr_t window)
{
	return (size_t)1 << (window & 63);
}

/* Callbacks that are queued are not leaked. */
extern void __lsan_register_root_region(const void *, size_t) __attribute__((weak));

/* The window word, or 0 when there is no address space for one. */
static uintptr_t window_get(void)
{
	uintptr_t window = __atomic_load_n(&window_word, __ATOMIC_ACQUIRE), none = 0;

	if (likely(window))
		return window;
	window = window_make();
	if (!window)
		return 0;
	if (__atomic_compare_exchange_n(
		    &window_word, &none, window, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		if (__lsan_register_root_region)
			__lsan_register_root_region(
				(void *)window_base(window), window_size(window));
		return window;
	}
	munmap((void *)window_base(window), window_size(window));
	return none;
}

static struct chunk *chunk_at(uint32_t k)
{
	uintptr_t window = __atomic_load_n(&window_word, __ATOMIC_ACQUIRE);

	return (struct chunk *)(window_base(window) + (k + (size_t)1) * chunk_size());
}

static bool chunk_protect(struct chunk *chunk, size_t bytes)
{
	if (mprotect(chunk, page_round(bytes), PROT_READ | PROT_WRITE))
		return false;
	madvise(chunk, page_round(bytes), MADV_DODUMP);
	return true;
}

/* Make chunk @k the last open one; several threads may do so at once. */
static bool chunk_add(uint32_t k)
{
	uintptr_t window = window_get();

	if (!window || (k + (size_t)2) * chunk_size() > window_size(window))
		return false;
	if (!chunk_protect(chunk_at(k), HEADER))
		return false;
	__atomic_compare_exchange_n(
		&chunks_open, &k, k + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	return true;
}

/* Chunk @k, opened if it is the next one, for objects of @kind; NULL: no more memory. */
static struct chunk *chunk_of_kind(uint32_t k, enum percpu_kind kind, bool *same)
{
	struct chunk *chunk;
	uint32_t found = 0;

	if (k >= __atomic_load_n(&chunks_open, __ATOMIC_ACQUIRE) && !chunk_add(k))
		return NULL;
	chunk = chunk_at(k);
	*same = __atomic_compare_exchange_n(
			&chunk->kind, &found, kind, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ||
		found == kind;
	return chunk;
}

static uint64_t run_mask(unsigned int units)
{
	return units == 64 ? ~(uint64_t)0 : ((uint64_t)1 << units) - 1;
}

/* Claim @units free units of one map word; the first one's number, or -1. */
static int map_claim(uint64_t *used, unsigned int units, unsigned int align)
{
	uint64_t map = __atomic_load_n(used, __ATOMIC_RELAXED);
	unsigned int at = 0;

	while (at + units <= 64) {
		uint64_t run = run_mask(units) << at;

		if (map & run) {
			at += align;
			continue;
		}
		/* Acquire: the counts that the previous owner left (release in srcu_percpu_give()).
		 */
		if (__atomic_compare_exchange_n(
			    used, &map, map | run, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return (int)at;
		at = 0;
	}
	return -1;
}

static int chunk_claim(struct chunk *chunk, unsigned int units, unsigned int align)
{
	for (int w = 0; w < MAP_WORDS; w++) {
		int at = map_claim(&chunk->used[w], units, align);

		if (at >= 0) {
			uint64_t first = (uint64_t)1 << at, last = first << (units - 1);

			__atomic_fetch_or(&chunk->first[w], first, __ATOMIC_RELAXED);
			__atomic_fetch_or(&chunk->last[w], last, __ATOMIC_RELAXED);
			return w * 64 + at;
		}
	}
	return -1;
}

static uintptr_t unit_address(const struct chunk *chunk, unsigned int unit)
{
	return (uintptr_t)chunk + HEADER + unit * PERCPU_UNIT;
}

static void begin_no_later(enum percpu_kind kind, uint32_t k)
{
	uint32_t first = __atomic_load_n(&chunks_first[kind], __ATOMIC_SEQ_CST);

	while (k < first && !__atomic_compare_exchange_n(&chunks_first[kind], &first, k, false,
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/*
 * Nothing that is asked for is free in chunk @k: begin behind it from now on, unless one
 * was freed since.  NULL for @chunk: it is of the other kind for good.
 */
static void pass_full_chunk(enum percpu_kind kind, uint32_t k, const struct chunk *chunk)
{
	uint32_t here = k;

	__atomic_compare_exchange_n(
		&chunks_first[kind], &here, k + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
	if (chunk && (~__atomic_load_n(&chunk->used[0], __ATOMIC_SEQ_CST) ||
			     ~__atomic_load_n(&chunk->used[1], __ATOMIC_SEQ_CST)))
		begin_no_later(kind, k);
}

uintptr_t srcu_percpu_take(enum percpu_kind kind, unsigned int units, unsigned int align)
{
	int saved_errno = errno, unit = -1;
	struct chunk *chunk;
	bool same;

	for (uint32_t k = __atomic_load_n(&chunks_first[kind], __ATOMIC_ACQUIRE);; k++) {
		chunk = chunk_of_kind(k, kind, &same);
		if (!chunk)
			break;
		if (same)
			unit = chunk_claim(chunk, units, align);
		if (unit >= 0)
			break;
		if (units == 1 || kind == PERCPU_LISTS)
			pass_full_chunk(kind, k, same ? chunk : NULL);
	}
	errno = saved_errno;
	return unit < 0 ? 0 : unit_address(chunk, (unsigned int)unit);
}

static uint32_t chunk_index(uintptr_t base, uintptr_t addr)
{
	return (uint32_t)((addr - base) / chunk_size() - 1);
}

/* The chunk and unit of an address in CPU 0's slice that is in use for @kind. */
static struct chunk *find(enum percpu_kind kind, uintptr_t addr, uint32_t *k, unsigned int *unit)
{
	uintptr_t window = __atomic_load_n(&window_word, __ATOMIC_ACQUIRE);
	uintptr_t base = window_base(window), offset;
	struct chunk *chunk;

	if (!window || addr < base + chunk_size() || addr - base >= window_size(window))
		return NULL;
	*k = chunk_index(base, addr);
	if (*k >= __atomic_load_n(&chunks_open, __ATOMIC_ACQUIRE))
		return NULL;
	chunk = chunk_at(*k);
	offset = addr - (uintptr_t)chunk - HEADER;
	if (__atomic_load_n(&chunk->kind, __ATOMIC_RELAXED) != kind || offset % PERCPU_UNIT ||
		offset >= UNITS * PERCPU_UNIT)
		return NULL;
	*unit = (unsigned int)(offset / PERCPU_UNIT);
	if (!(__atomic_load_n(&chunk->used[*unit / 64], __ATOMIC_RELAXED) >> *unit % 64 & 1))
		return NULL;
	return chunk;
}

bool srcu_percpu_give(enum percpu_kind kind, uintptr_t addr)
{
	unsigned int unit;
	uint64_t ends, run;
	uint32_t k;
	struct chunk *chunk = find(kind, addr, &k, &unit);

	/* Of the maps only the bits that belong to this object are looked at. */
	if (!chunk ||
		!(__atomic_load_n(&chunk->first[unit / 64], __ATOMIC_RELAXED) >> unit % 64 & 1))
		return false;
	ends = __atomic_load_n(&chunk->last[unit / 64], __ATOMIC_RELAXED) >> unit % 64;
	run = run_mask((unsigned int)__builtin_ctzll(ends) + 1) << unit % 64;
	__atomic_fetch_and(&chunk->first[unit / 64], ~run, __ATOMIC_RELAXED);
	__atomic_fetch_and(&chunk->last[unit / 64], ~run, __ATOMIC_RELAXED);
	__atomic_fetch_and(&chunk->used[unit / 64], ~run, __ATOMIC_SEQ_CST);
	begin_no_later(kind, k);
	return true;
}

static struct chunk *chunk_containing(uintptr_t addr)
{
	uintptr_t base = window_base(__atomic_load_n(&window_word, __ATOMIC_ACQUIRE));

	return chunk_at(chunk_index(base, addr));
}

bool srcu_percpu_open(uintptr_t addr, unsigned int cpu)
{
	struct chunk *chunk = chunk_containing(addr);
	uint32_t opened = __atomic_load_n(&chunk->opened, __ATOMIC_ACQUIRE);
	int saved_errno = errno;
	bool done;

	if (cpu < opened)
		return true;
	done = chunk_protect(chunk, HEADER + (cpu + (size_t)1) * SRCU_PERCPU_STRIDE);
	errno = saved_errno;
	while (done && opened <= cpu &&
		!__atomic_compare_exchange_n(&chunk->opened, &opened, cpu + 1, false,
			__ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
		;
	return done;
}

unsigned int srcu_percpu_opened(uintptr_t addr)
{
	return __atomic_load_n(&chunk_containing(addr)->opened, __ATOMIC_ACQUIRE);
}

static void **owner_of(uintptr_t addr)
{
	struct chunk *chunk = chunk_containing(addr);

	return &chunk->owner[(addr - (uintptr_t)chunk - HEADER) / PERCPU_UNIT];
}

void srcu_percpu_set_owner(uintptr_t addr, void *owner)
{
	__atomic_store_n(owner_of(addr), owner, __ATOMIC_RELEASE);
}

void *srcu_percpu_owner(enum percpu_kind kind, uintptr_t addr)
{
	unsigned int unit;
	uint32_t k;

	return find(kind, addr, &k, &unit) ? __atomic_load_n(owner_of(addr), __ATOMIC_ACQUIRE)
					   : NULL;
}

void srcu_percpu_for_each(enum percpu_kind kind, void (*visit)(void *owner, uintptr_t addr))
{
	uint32_t chunks = __atomic_load_n(&chunks_open, __ATOMIC_ACQUIRE);

	for (uint32_t k = 0; k < chunks; k++) {
		const struct chunk *chunk = chunk_at(k);

		if (__atomic_load_n(&chunk->kind, __ATOMIC_RELAXED) != kind)
			continue;
		for (unsigned int unit = 0; unit < UNITS; unit++) {
			void *owner = __atomic_load_n(&chunk->owner[unit], __ATOMIC_ACQUIRE);

			if (owner)
				visit(owner, unit_address(chunk, unit));
		}
	}
}

uintptr_t srcu_percpu_at(unsigned int index)
{
	uintptr_t window = __atomic_load_n(&window_word, __ATOMIC_ACQUIRE);

	return (uintptr_t)((uint64_t)window >> SRCU_WINDOW_SHIFT_ << SRCU_WINDOW_SHIFT_ |
			   (uint64_t)index << 4);
}
