/* SPDX-License-Identifier: MIT */
/*
 * The demo's model of a machine's memory: slots, faults and ioeventfds, step by
 * step; memory-race-test.c has the races.
 */
#include <errno.h>
#include <semaphore.h>
#include <string.h>

#include "harness.h"
#include "irqfd-demo/ioeventfd.h"
#include "memory-helper.h"

static struct memory *memory;

static void begin(void)
{
	host_clean();
	memory = memory_create();
}

static void end(void)
{
	ck_assert_int_eq(memory_destroy(memory), 0);
}

static int set(uint32_t id, uint32_t flags, uint64_t gfn, uint64_t npages, uint64_t hva)
{
	return slot_set(memory, id, flags, gfn, npages, hva);
}

static bool found(uint64_t gfn)
{
	srcu_guard(&memory->srcu);
	return memslots_find(memory, gfn) != NULL;
}

static uint64_t take_dirty(uint32_t id)
{
	uint64_t dirty = 0;

	ck_assert_int_eq(memslots_take_dirty(memory, id, &dirty), 0);
	return dirty;
}

START_TEST(arguments_are_checked_before_slots)
{
	ck_assert_int_eq(set(0, 0, 16, 2, 0), 0);
	/* Each would overlap as well. */
	ck_assert_int_eq(set(1, 4, 16, 1, 0), -EINVAL);
	ck_assert_int_eq(set(NR_SLOTS, 0, 16, 1, 0), -EINVAL);
	ck_assert_int_eq(set(1, 0, 16, 1, 1), -EINVAL);
	ck_assert_int_eq(set(1, 0, 16, 1, HVA_KERNEL), -EINVAL);
	ck_assert_int_eq(set(1, 0, 16, 0, 0), -EINVAL);
	ck_assert_int_eq(set(1, 0, 17, 1, 0), -EEXIST);
	/* What cannot change is looked at before what is in the way. */
	ck_assert_int_eq(set(1, 0, 18, 2, 0x2000), 0);
	ck_assert_int_eq(set(1, 0, 17, 2, 0x2000), -EEXIST);
	ck_assert_int_eq(set(1, 0, 17, 1, 0x2000), -EINVAL);
	ck_assert_int_eq(set(1, 0, 17, 2, 0x3000), -EINVAL);
	ck_assert_int_eq(set(1, SLOT_READONLY, 17, 2, 0x2000), -EINVAL);
	/* It may overlap itself. */
	ck_assert_int_eq(set(1, 0, 19, 2, 0x2000), 0);
	ck_assert(!found(18));
	ck_assert(found(20));
}
END_TEST

START_TEST(a_change_that_fails_leaves_all_as_it_was)
{
	static const uint32_t word = 1;

	ck_assert_int_eq(set(1, SLOT_LOG_DIRTY, 16, 2, 0), 0);
	ck_assert_int_eq(guest_write(memory, 0x11000, &word, sizeof(word)), 0);
	/* This fails after the first of the two steps. */
	ck_assert_int_eq(set(1, 0, MAX_GFN, 2, 0), -EINVAL);
	ck_assert(found(16));
	ck_assert_int_eq(guest_write(memory, 0x10000, &word, sizeof(word)), 0);
	ck_assert_uint_eq(take_dirty(1), 3);
	ck_assert_int_eq(set(1, SLOT_LOG_DIRTY, MAX_GFN - 1, 2, 0), 0);
	ck_assert(found(MAX_GFN));
}
END_TEST

START_TEST(the_dirty_log_lasts_as_long_as_its_flag)
{
	uint64_t dirty;

	ck_assert_int_eq(memslots_take_dirty(memory, NR_SLOTS, &dirty), -EINVAL);
	ck_assert_int_eq(memslots_take_dirty(memory, 1, &dirty), -ENOENT);
	ck_assert_int_eq(set(1, 0, 16, 2, 0), 0);
	ck_assert_int_eq(memslots_take_dirty(memory, 1, &dirty), -ENOENT);
	ck_assert_int_eq(set(1, SLOT_LOG_DIRTY, 16, 2, 0), 0);
	guest_write_clock(memory, 0x11000 - 4); /* the version below, the time above */
	ck_assert_int_eq(set(1, SLOT_LOG_DIRTY, 20, 2, 0), 0);
	ck_assert_uint_eq(take_dirty(1), 3);
	ck_assert_uint_eq(take_dirty(1), 0);
	guest_write_clock(memory, 0x14000);
	ck_assert_int_eq(set(1, 0, 20, 2, 0), 0);
	ck_assert_int_eq(set(1, SLOT_LOG_DIRTY, 20, 2, 0), 0);
	ck_assert_uint_eq(take_dirty(1), 0);
}
END_TEST

START_TEST(the_guest_writes_page_by_page)
{
	ck_assert_int_eq(set(1, 0, 16, 1, 0x1000), 0);
	/* The version is whole in its page and the time is not. */
	guest_write_clock(memory, 0x11000 - 4);
	ck_assert(host_take_written(1));
	/* Reading the version fails, so nothing is written. */
	guest_write_clock(memory, 0x11000 - 3);
	ck_assert(!host_take_written(1));
	ck_assert_int_eq(set(2, SLOT_READONLY, 17, 1, 0x2000), 0);
	guest_write_clock(memory, 0x11000 - 3);
	ck_assert(host_take_written(1));
	guest_write_clock(memory, 0x11000);
	ck_assert(!host_take_written(2));
	/* Nothing is mapped behind the arena. */
	ck_assert_int_eq(set(3, SLOT_LOG_DIRTY, 32, 2, (ARENA_PAGES - 1) << GUEST_PAGE_SHIFT), 0);
	guest_write_clock(memory, 0x21000);
	ck_assert_uint_eq(take_dirty(3), 0);
	guest_write_clock(memory, 0x21000 - 6);
	ck_assert_uint_eq(take_dirty(3), 1);
	ck_assert_int_eq(set(4, 0, 0, 1, 0x3000), 0);
	guest_write_clock(memory, 0);
	ck_assert(!host_take_written(3));
	guest_write_clock(memory, 1);
	ck_assert(host_take_written(3));
}
END_TEST

/* A thread that deletes slot 1. */
static int deleter_tid, deleted;

static void *delete_main(void *unused)
{
	(void)unused;
	publish_tid(&deleter_tid);
	ck_assert_int_eq(set(1, 0, 0, 0, 0), 0);
	set_flag(&deleted);
	return NULL;
}

START_TEST(a_deletion_hides_the_slot_and_waits_for_its_readers)
{
	const struct memslot *slot;
	struct srcu_ctr *token;
	pthread_t deleter;

	ck_assert_int_eq(set(1, 0, 16, 1, 0x1000), 0);
	token = srcu_read_lock_fast(&memory->srcu);
	slot = memslots_find(memory, 16);
	deleter = thread_start(delete_main, NULL);
	while (found(16))
		sched_yield();
	await_asleep(&deleter_tid);
	ck_assert(!flag_set(&deleted));
	ck_assert_uint_eq(slot->hva, 0x1000);
	srcu_read_unlock_fast(&memory->srcu, token);
	thread_join(deleter);
	ck_assert(!found(16));
}
END_TEST

START_TEST(a_swap_waits_for_an_invalidation)
{
	pthread_t deleter;

	ck_assert_int_eq(set(1, 0, 16, 1, 0x1000), 0);
	mmu_invalidate_start(memory, 0x1000, 0x2000);
	deleter = thread_start(delete_main, NULL);
	await_asleep(&deleter_tid);
	ck_assert(!flag_set(&deleted));
	ck_assert(found(16));
	mmu_invalidate_end(memory, 0x1000, 0x2000);
	thread_join(deleter);
	ck_assert(!found(16));
	ck_assert_uint_eq(memory->mmu.in_progress, 0);
	ck_assert_uint_eq(memory->mmu.sequence, 1);
}
END_TEST

/* What happens in the window of a fault's first attempts. */
static unsigned int attempts;

static void invalidate_twice(void *unused)
{
	(void)unused;
	switch (attempts++) {
	case 0:
		mmu_invalidate_start(memory, 0x1000, 0x2000);
		mmu_invalidate_start(memory, 0x5000, 0x6000);
		break;
	case 1:
		/* Under way still: the sequence alone has not moved. */
		ck_assert_uint_eq(memory->mmu.sequence, 0);
		mmu_invalidate_end(memory, 0x5000, 0x6000);
		mmu_invalidate_end(memory, 0x1000, 0x2000);
		break;
	default:
		break;
	}
}

START_TEST(a_fault_retries_until_it_meets_no_invalidation)
{
	uint64_t frame;

	ck_assert_int_eq(set(1, 0, 16, 1, 0x1000), 0);
	memory->mmu.window = invalidate_twice;
	ck_assert_int_eq(mmu_fault(memory, 16, &frame), 0);
	ck_assert_uint_eq(attempts, 3);
	ck_assert_uint_eq(frame, host_frame(0x1000));
	ck_assert_uint_eq(mmu_mapped(memory, 16), frame);
	host_remap(2);
	ck_assert_uint_eq(mmu_mapped(memory, 16), frame);
	host_remap(1);
	ck_assert_uint_eq(mmu_mapped(memory, 16), 0);
	ck_assert_int_eq(mmu_fault(memory, 17, &frame), -ENOENT);
	ck_assert_int_eq(set(2, 0, 17, 1, HVA_UNMAPPED), 0);
	ck_assert_int_eq(mmu_fault(memory, 17, &frame), -EFAULT);
}
END_TEST

static bool fault_between_the_steps(void *unused)
{
	uint64_t frame;

	(void)unused;
	ck_assert_int_eq(mmu_fault(memory, 16, &frame), -ENOENT);
	return true;
}

START_TEST(no_fault_finds_a_slot_that_is_being_moved)
{
	uint64_t frame;

	ck_assert_int_eq(set(1, 0, 16, 1, 0x1000), 0);
	ck_assert_int_eq(mmu_fault(memory, 16, &frame), 0);
	memory->prepare = fault_between_the_steps;
	ck_assert_int_eq(set(1, 0, 17, 1, 0x1000), 0);
	ck_assert_uint_eq(mmu_mapped(memory, 16), 0);
	ck_assert_int_eq(mmu_fault(memory, 17, &frame), 0);
}
END_TEST

static const struct ioevent four = {.addr = 0x1000, .length = 4};
static const struct ioevent seven = {
	.addr = 0x1000, .length = 2, .datamatch = 7, .flags = IOEVENT_DATAMATCH};
static const struct ioevent any = {.addr = 0x2000};
static const struct ioevent port = {.addr = 0x1000, .length = 4, .flags = IOEVENT_PIO};

START_TEST(a_write_signals_the_eventfd_that_matches)
{
	struct hub_event *a = hub_open(0, 0), *b = hub_open(0, 0);

	ck_assert_int_eq(ioeventfd_assign(memory, a, &four), 0);
	ck_assert_int_eq(ioeventfd_assign(memory, b, &seven), 0);
	ck_assert_int_eq(ioeventfd_assign(memory, b, &any), 0);
	ck_assert_int_eq(ioeventfd_assign(memory, b, &port), 0);
	ck_assert_int_eq(ioeventfd_assign(memory, b, &four), -EEXIST);
	ck_assert_int_eq(ioeventfd_deassign(memory, b, &four), -ENOENT);

	ck_assert(ioeventfd_write(memory, false, 0x1000, 4, 99));
	ck_assert_uint_eq(hub_drain(a), 1);
	ck_assert(!ioeventfd_write(memory, false, 0x1000, 8, 99));
	ck_assert(!ioeventfd_write(memory, false, 0x1001, 4, 99));
	ck_assert(!ioeventfd_write(memory, false, 0x1000, 2, 6));
	ck_assert_uint_eq(hub_drain(b), 0);
	ck_assert(ioeventfd_write(memory, false, 0x1000, 2, 7));
	ck_assert(ioeventfd_write(memory, false, 0x2000, 8, 7));
	ck_assert(ioeventfd_write(memory, true, 0x1000, 4, 7));
	ck_assert_uint_eq(hub_drain(b), 3);

	ck_assert_int_eq(ioeventfd_deassign(memory, a, &four), 0);
	ck_assert(!ioeventfd_write(memory, false, 0x1000, 4, 99));
	/* There is no hang-up: the address stays taken. */
	hub_close(b);
	ck_assert_int_eq(ioeventfd_assign(memory, a, &port), -EEXIST);
	ck_assert(ioeventfd_write(memory, true, 0x1000, 4, 7));
	hub_close(a);
}
END_TEST

/* A waiter that keeps the write that wakes it. */
struct keeper {
	struct hub_waiter waiter;
	sem_t woken, go;
};

static void keep(struct hub_waiter *waiter, bool zero)
{
	struct keeper *keeper = (struct keeper *)waiter;

	(void)zero;
	sem_post(&keeper->woken);
	sem_wait(&keeper->go);
}

static void *write_main(void *unused)
{
	(void)unused;
	ck_assert(ioeventfd_write(memory, false, 0x1000, 4, 0));
	return NULL;
}

static void *deassign_main(void *event)
{
	publish_tid(&deleter_tid);
	ck_assert_int_eq(ioeventfd_deassign(memory, event, &four), 0);
	set_flag(&deleted);
	return NULL;
}

START_TEST(a_removal_waits_for_the_writes_under_way)
{
	struct keeper keeper = {.waiter.wake = keep};
	struct hub_event *event = hub_open(0, 0);
	pthread_t writer, remover;

	sem_init(&keeper.woken, 0, 0);
	sem_init(&keeper.go, 0, 0);
	ck_assert_int_eq(hub_hook(event, &keeper.waiter), 0);
	ck_assert_int_eq(ioeventfd_assign(memory, event, &four), 0);
	writer = thread_start(write_main, NULL);
	sem_wait(&keeper.woken);
	remover = thread_start(deassign_main, event);
	await_asleep(&deleter_tid);
	ck_assert(!flag_set(&deleted));
	sem_post(&keeper.go);
	thread_join(remover);
	thread_join(writer);
	hub_unhook(event);
	hub_close(event);
}
END_TEST

static void assert_step(struct hub_event *event, struct step step, const char *expected)
{
	char outcome[OUTCOME_SIZE] = "";

	ck_assert(step_run(memory, event, &step, outcome));
	ck_assert_str_eq(outcome, expected);
}

START_TEST(steps_have_outcomes)
{
	const struct step_memory region = {.slot = 1, .flags = 1, .gpa = 0x10000, .size = 0x1000};
	const struct step_ioevent word = {.addr = 0x1000, .length = 4, .wildcard = true},
				  odd = {.addr = 0x1000, .length = 3, .wildcard = true};
	const struct step assign = {.op = OP_ASSIGN};
	struct hub_event *event = hub_open(0, 0);
	char outcome[OUTCOME_SIZE];

	assert_step(event, (struct step){.op = OP_SLOT, .child = true, .null = true}, "EIO");
	assert_step(event, (struct step){.op = OP_SLOT, .null = true}, "EFAULT");
	assert_step(event, (struct step){.op = OP_SLOT, .memory = region}, "0");
	assert_step(event, (struct step){.op = OP_GUEST_WRITE, .gpa = 0x10000}, "0");
	assert_step(event, (struct step){.op = OP_SHOW_DIRTY, .memory = region}, "0x1");
	assert_step(event, (struct step){.op = OP_SHOW_DIRTY, .memory = region}, "0x0");
	assert_step(event, (struct step){.op = OP_SHOW_DIRTY}, "ENOENT");
	assert_step(event, (struct step){.op = OP_SHOW_PAGE}, "written");
	assert_step(event, (struct step){.op = OP_SHOW_PAGE}, "clean");
	assert_step(event, (struct step){.op = OP_GUEST_WRITE, .gpa = 0x10000}, "0");
	assert_step(event, (struct step){.op = OP_UNMAP}, "0");
	assert_step(event, (struct step){.op = OP_SHOW_PAGE}, "clean");

	assert_step(event, (struct step){.op = OP_IOEVENT, .event = EVENT_CLOSED, .ioevent = odd},
		"EINVAL");
	assert_step(event,
		(struct step){.op = OP_IOEVENT_OFF, .event = EVENT_CLOSED, .ioevent = odd},
		"EBADF");
	assert_step(event, (struct step){.op = OP_IOEVENT, .ioevent = word}, "0");
	assert_step(event, (struct step){.op = OP_IOEVENT, .ioevent = word}, "EEXIST");
	assert_step(event,
		(struct step){.op = OP_IOEVENT, .flags = IOEVENT_DEASSIGN, .ioevent = word}, "0");
	assert_step(event, (struct step){.op = OP_IOEVENT_OFF, .ioevent = word}, "ENOENT");
	ck_assert(!step_run(memory, event, &assign, outcome));
	hub_close(event);
}
END_TEST

int main(void)
{
	TCase *slots = test_case("slots"), *faults = test_case("faults"),
	      *ioevents = test_case("ioeventfds"), *steps = test_case("steps");
	TCase *cases[] = {slots, faults, ioevents, steps, NULL};

	for (TCase **each = cases; *each; each++)
		tcase_add_checked_fixture(*each, begin, end);
	tcase_add_test(slots, arguments_are_checked_before_slots);
	tcase_add_test(slots, a_change_that_fails_leaves_all_as_it_was);
	tcase_add_test(slots, the_dirty_log_lasts_as_long_as_its_flag);
	tcase_add_test(slots, the_guest_writes_page_by_page);
	tcase_add_test(slots, a_deletion_hides_the_slot_and_waits_for_its_readers);
	tcase_add_test(faults, a_swap_waits_for_an_invalidation);
	tcase_add_test(faults, a_fault_retries_until_it_meets_no_invalidation);
	tcase_add_test(faults, no_fault_finds_a_slot_that_is_being_moved);
	tcase_add_test(ioevents, a_write_signals_the_eventfd_that_matches);
	tcase_add_test(ioevents, a_removal_waits_for_the_writes_under_way);
	tcase_add_test(steps, steps_have_outcomes);
	return run_suite("the demo's memory", cases);
}
