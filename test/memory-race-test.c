/* SPDX-License-Identifier: MIT */
/*
 * The races of the demo's memory: lookups and guest writes against slots that come,
 * move and go, and faults against pages that change their frame.
 */
#include <sched.h>

#include "harness.h"
#include "memory-helper.h"

#define THREADS 2
#define NR_IDS  4

static struct memory *memory;
static int stop;
static uint64_t seen; /* successes of the threads, so that a run without any does not pass */

static void begin(void)
{
	host_clean();
	memory = memory_create();
}

static void start(pthread_t threads[THREADS], void *(*function)(void *))
{
	for (int i = 0; i < THREADS; i++)
		threads[i] = thread_start(function, NULL);
}

static void end(pthread_t threads[THREADS])
{
	set_flag(&stop);
	for (int i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	ck_assert_uint_eq(memory->mmu.in_progress, 0);
	ck_assert_uint_eq(memory->mmu.invalidations, 0);
	ck_assert_int_eq(memory_destroy(memory), 0);
}

static bool enough(unsigned int done, unsigned int wanted)
{
	return done >= wanted && __atomic_load_n(&seen, __ATOMIC_RELAXED) >= wanted;
}

static void set(uint32_t id, uint32_t flags, uint64_t gfn, uint64_t npages)
{
	ck_assert_int_eq(slot_set(memory, id, flags, gfn, npages, (uint64_t)id << 13), 0);
}

/* Slot @id is at one of two places, has two pages, and memory by its number. */
static uint64_t place(uint32_t id, unsigned int which)
{
	return 16 + id * 8 + which % 2 * 4;
}

static void check_slot(const struct memslot *slot, uint64_t gfn)
{
	ck_assert_uint_lt(slot->id, NR_IDS);
	ck_assert_uint_eq(slot->npages, 2);
	ck_assert_uint_eq(slot->hva, (uint64_t)slot->id << 13);
	ck_assert_uint_lt(gfn - slot->base_gfn, 2);
	ck_assert(!(slot->flags & SLOT_INVALID));
}

static void *lookup_main(void *unused)
{
	(void)unused;
	for (uint64_t gfn = 16; !flag_set(&stop); gfn = gfn < 16 + NR_IDS * 8 ? gfn + 1 : 16) {
		const struct memslot *slot;

		guest_write_clock(memory, gfn << GUEST_PAGE_SHIFT);
		srcu_guard(&memory->srcu);
		slot = memslots_find(memory, gfn);
		if (!slot)
			continue;
		check_slot(slot, gfn);
		sched_yield();
		check_slot(slot, gfn);
		__atomic_fetch_add(&seen, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

START_TEST(a_lookup_finds_whole_slots)
{
	pthread_t threads[THREADS];

	begin();
	start(threads, lookup_main);
	for (unsigned int round = 0; !enough(round, 200); round++) {
		uint32_t id = round % NR_IDS;
		uint64_t dirty;

		set(id, SLOT_LOG_DIRTY, place(id, 0), 2);
		set(id, SLOT_LOG_DIRTY, place(id, 1), 2);
		ck_assert_int_eq(memslots_take_dirty(memory, id, &dirty), 0);
		set(id, 0, place(id, 1), 2);
		set(id, SLOT_LOG_DIRTY, place(id, 0), 2);
		if (round % 3)
			set(id, 0, 0, 0);
		else
			set(id, 0, place(id, 1), 2);
		if (!(round % 3))
			set(id, 0, 0, 0);
	}
	end(threads);
}
END_TEST

static void *fault_main(void *unused)
{
	(void)unused;
	for (unsigned int n = 0; !flag_set(&stop); n++) {
		uint64_t frame;

		if (!mmu_fault(memory, place(n % 2, n / 2), &frame))
			__atomic_fetch_add(&seen, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void widen(void *unused)
{
	(void)unused;
	sched_yield();
}

static void begin_faults(pthread_t threads[THREADS])
{
	begin();
	memory->mmu.window = widen;
	start(threads, fault_main);
}

static void assert_not_stale(uint64_t gfn, uint64_t hva)
{
	uint64_t frame = mmu_mapped(memory, gfn);

	if (frame)
		ck_assert_uint_eq(frame, host_frame(hva));
}

/* Slot 0 keeps its place, and its page changes frames. */
START_TEST(no_mapping_outlives_its_frame)
{
	pthread_t threads[THREADS];

	begin_faults(threads);
	set(0, 0, place(0, 0), 2);
	for (unsigned int round = 0; !enough(round, 3000); round++) {
		host_remap(0);
		assert_not_stale(place(0, 0), 0);
		/* Faults end that had begun before the change, and others begin before the next. */
		sched_yield();
		assert_not_stale(place(0, 0), 0);
	}
	end(threads);
}
END_TEST

static unsigned int rounds;

/* One invalidation in each round. */
static void *invalidate_main(void *unused)
{
	unsigned int done = 0;

	(void)unused;
	while (!flag_set(&stop)) {
		unsigned int round = __atomic_load_n(&rounds, __ATOMIC_RELAXED);

		if (round == done) {
			sched_yield();
			continue;
		}
		done = round;
		mmu_invalidate_start(memory, 0x2000, 0x3000);
		sched_yield();
		mmu_invalidate_end(memory, 0x2000, 0x3000);
	}
	return NULL;
}

/* Slot 1 comes, moves and goes while its page is invalidated. */
START_TEST(no_mapping_outlives_its_slot)
{
	pthread_t threads[THREADS], invalidator;

	begin_faults(threads);
	invalidator = thread_start(invalidate_main, NULL);
	while (!enough(rounds, 300)) {
		__atomic_fetch_add(&rounds, 1, __ATOMIC_RELAXED);
		set(1, 0, place(1, 0), 2);
		sched_yield();
		set(1, 0, place(1, 1), 2);
		ck_assert_uint_eq(mmu_mapped(memory, place(1, 0)), 0);
		sched_yield();
		set(1, 0, 0, 0);
		ck_assert_uint_eq(mmu_mapped(memory, place(1, 1)), 0);
	}
	set_flag(&stop);
	thread_join(invalidator);
	end(threads);
}
END_TEST

int main(void)
{
	TCase *races = test_case("races");
	TCase *cases[] = {races, NULL};

	tcase_add_test(races, a_lookup_finds_whole_slots);
	tcase_add_test(races, no_mapping_outlives_its_frame);
	tcase_add_test(races, no_mapping_outlives_its_slot);
	return run_suite("races of the demo's memory", cases);
}
