/* SPDX-License-Identifier: MIT */
/*
 * Notifier chains: who is called, in which order and with what; errors; calls
 * within calls; that an unregistration waits for the calls, and nothing else
 * does; and the hunt for a block that is called after it was taken off.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <srcu/notifier.h>

#include "harness.h"

SRCU_NOTIFIER_HEAD_STATIC(chain);
SRCU_NOTIFIER_HEAD(other_chain);

/* The callbacks of a call write down their names. */
struct record {
	char names[16];
	size_t length;
	unsigned long action;
};

/* A block with a name that returns a given value. */
struct named {
	struct notifier_block block;
	char name;
	int value;
};

static int write_name(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct named *named = (const struct named *)nb;
	struct record *record = data;

	record->names[record->length++] = named->name;
	record->action = action;
	return named->value;
}

static struct named named_block(char name, int priority, int value)
{
	return (struct named){{write_name, NULL, priority}, name, value};
}

static void put_on(struct srcu_notifier_head *nh, struct named *named)
{
	ck_assert_int_eq(srcu_notifier_chain_register(nh, &named->block), 0);
}

static void take_off(struct srcu_notifier_head *nh, struct named *named)
{
	ck_assert_int_eq(srcu_notifier_chain_unregister(nh, &named->block), 0);
}

static void assert_call(struct srcu_notifier_head *nh, const char *names, int value)
{
	struct record record = {"", 0, 0};

	ck_assert_int_eq(srcu_notifier_call_chain(nh, 77, &record), value);
	ck_assert_str_eq(record.names, names);
	ck_assert_uint_eq(record.action, record.length ? 77 : 0);
}

START_TEST(blocks_are_called_by_priority)
{
	struct named a = named_block('a', 0, NOTIFY_DONE), b = named_block('b', 10, NOTIFY_OK),
		     c = named_block('c', -10, NOTIFY_OK), d = named_block('d', 0, NOTIFY_DONE),
		     e = named_block('e', 10, NOTIFY_DONE);

	assert_call(&chain, "", NOTIFY_DONE);
	put_on(&chain, &a);
	assert_call(&chain, "a", NOTIFY_DONE);
	put_on(&chain, &b);
	put_on(&chain, &c);
	assert_call(&chain, "bac", NOTIFY_OK);
	/* Those of equal priority in the order in which they came. */
	put_on(&chain, &d);
	put_on(&chain, &e);
	assert_call(&chain, "beadc", NOTIFY_OK);
	take_off(&chain, &a);
	assert_call(&chain, "bedc", NOTIFY_OK);
	put_on(&chain, &a);
	assert_call(&chain, "bedac", NOTIFY_OK);
	take_off(&chain, &b);
	take_off(&chain, &c);
	assert_call(&chain, "eda", NOTIFY_DONE);
	/* The chain beside it has nothing to do with it. */
	assert_call(&other_chain, "", NOTIFY_DONE);
}
END_TEST

START_TEST(a_value_with_the_stop_bit_ends_the_call)
{
	struct named a = named_block('a', 3, NOTIFY_OK), b = named_block('b', 2, NOTIFY_STOP),
		     c = named_block('c', 1, NOTIFY_DONE);

	ck_assert_int_eq(NOTIFY_DONE, 0);
	ck_assert_int_eq(NOTIFY_OK, 1);
	ck_assert_int_eq(NOTIFY_STOP_MASK, 0x8000);
	ck_assert_int_eq(NOTIFY_BAD, 0x8002);
	ck_assert_int_eq(NOTIFY_STOP, 0x8001);
	put_on(&chain, &a);
	put_on(&chain, &b);
	put_on(&chain, &c);
	assert_call(&chain, "ab", NOTIFY_STOP);
	b.value = NOTIFY_BAD;
	assert_call(&chain, "ab", NOTIFY_BAD);
	b.value = 0x1234;
	assert_call(&chain, "abc", NOTIFY_DONE);
	c.value = 0x5678;
	assert_call(&chain, "abc", 0x5678);
	c.value = -EPERM;
	assert_call(&chain, "abc", -EPERM);
}
END_TEST

START_TEST(misuse_is_refused)
{
	struct named a = named_block('a', 0, NOTIFY_OK), b = named_block('b', 0, NOTIFY_OK);
	struct notifier_block without = {NULL, NULL, 0};

	warnings_collect();
	put_on(&chain, &a);
	put_on(&chain, &b);
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &a.block), -EEXIST);
	/* Wherever its priority would put it now. */
	b.block.priority = 100;
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &b.block), -EEXIST);
	assert_call(&chain, "ab", NOTIFY_OK);
	take_off(&chain, &a);
	ck_assert_int_eq(srcu_notifier_chain_unregister(&chain, &a.block), -ENOENT);
	ck_assert_int_eq(srcu_notifier_chain_unregister(&other_chain, &b.block), -ENOENT);
	assert_call(&chain, "b", NOTIFY_OK);
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &without), -EINVAL);
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, NULL), -EINVAL);
	ck_assert_int_eq(srcu_notifier_chain_register(NULL, &a.block), -EINVAL);
	ck_assert_int_eq(srcu_notifier_chain_unregister(&chain, NULL), -EINVAL);
	ck_assert_int_eq(srcu_notifier_chain_unregister(NULL, &a.block), -EINVAL);
	ck_assert_int_eq(srcu_init_notifier_head(NULL), -EINVAL);
	ck_assert_int_eq(srcu_cleanup_notifier_head(NULL), -EINVAL);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

START_TEST(a_chain_begins_and_ends)
{
	struct named a = named_block('a', 0, NOTIFY_OK);
	struct srcu_notifier_head nh;

	warnings_collect();
	memset(&nh, 0xa5, sizeof(nh));
	if (forced("nomemory")) {
		ck_assert_int_eq(srcu_init_notifier_head(&nh), -ENOMEM);
		return;
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(srcu_init_notifier_head(&nh), 0);
		assert_call(&nh, "", NOTIFY_DONE);
		put_on(&nh, &a);
		assert_call(&nh, "a", NOTIFY_OK);
		ck_assert_int_eq(srcu_cleanup_notifier_head(&nh), 0);
	}
	ck_assert_uint_eq(warnings(), 0);
	ck_assert_int_eq(srcu_cleanup_notifier_head(&nh), -EINVAL);
	ck_assert_int_eq(srcu_notifier_chain_register(&nh, &a.block), -EINVAL);
	ck_assert_uint_eq(warnings(), 2);
	/* A static one, used and unused. */
	assert_call(&chain, "", NOTIFY_DONE);
	ck_assert_int_eq(srcu_cleanup_notifier_head(&chain), 0);
	ck_assert_int_eq(srcu_cleanup_notifier_head(&other_chain), 0);
	ck_assert_uint_eq(warnings(), 2);
}
END_TEST

static int end_the_chain(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	(void)action;
	return srcu_cleanup_notifier_head(data);
}

START_TEST(a_chain_does_not_end_during_a_call)
{
	struct notifier_block block = {end_the_chain, NULL, 0};

	warnings_collect();
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &block), 0);
	ck_assert_int_eq(srcu_notifier_call_chain(&chain, 0, &chain), -EBUSY);
	ck_assert(warned_of("domain 'chain': cleanup_srcu_struct: 1 reader(s) inside"));
	ck_assert_int_eq(srcu_notifier_chain_unregister(&chain, &block), 0);
	assert_call(&chain, "", NOTIFY_DONE);
	ck_assert_int_eq(srcu_cleanup_notifier_head(&chain), 0);
	ck_assert_uint_eq(warnings(), 1);
}
END_TEST

/* Calls its own chain until the action is 0, then the other one. */
static int call_again(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	if (action)
		return srcu_notifier_call_chain(&chain, action - 1, data) + 1;
	return srcu_notifier_call_chain(&other_chain, 0, data);
}

START_TEST(callbacks_call_chains)
{
	struct named leaf = named_block('l', 0, 100);
	struct notifier_block again = {call_again, NULL, 0};
	struct record record = {"", 0, 0};

	put_on(&other_chain, &leaf);
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &again), 0);
	ck_assert_int_eq(srcu_notifier_call_chain(&chain, 50, &record), 150);
	ck_assert_str_eq(record.names, "l");
	/* No section was left open. */
	take_off(&other_chain, &leaf);
	ck_assert_int_eq(srcu_notifier_chain_unregister(&chain, &again), 0);
}
END_TEST

static struct named newcomers[2];

static int register_newcomers(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)action;
	(void)data;
	newcomers[0] = named_block('f', nb->priority + 1, NOTIFY_OK);
	newcomers[1] = named_block('b', nb->priority - 1, NOTIFY_OK);
	for (int i = 0; i < 2; i++)
		if (srcu_notifier_chain_register(&chain, &newcomers[i].block))
			return NOTIFY_BAD;
	return NOTIFY_DONE;
}

START_TEST(callbacks_register_blocks)
{
	struct notifier_block block = {register_newcomers, NULL, 0};
	struct record record = {"", 0, 0};

	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &block), 0);
	ck_assert_int_eq(srcu_notifier_call_chain(&chain, 0, &record), NOTIFY_OK);
	/* The call had passed the one before; it saw the one behind, added in time. */
	ck_assert_str_eq(record.names, "b");
	ck_assert_int_eq(srcu_notifier_chain_unregister(&chain, &block), 0);
	assert_call(&chain, "fb", NOTIFY_OK);
}
END_TEST

/* With a stepper for data, stays until it is let go. */
static int stay(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	(void)action;
	if (data)
		step_pause(data, 1);
	return NOTIFY_OK;
}

static struct notifier_block staying = {stay, NULL, 5};

static void *call_and_stay(void *stepper)
{
	ck_assert_int_eq(srcu_notifier_call_chain(&chain, 0, stepper), NOTIFY_OK);
	return NULL;
}

struct leaver {
	int error;
	int returned;
};

static void *unregister_staying(void *arg)
{
	struct leaver *leaver = arg;

	leaver->error = srcu_notifier_chain_unregister(&chain, &staying);
	set_flag(&leaver->returned);
	return NULL;
}

START_TEST(unregistering_waits_for_the_calls)
{
	struct stepper stepper = STEPPER_INIT;
	struct notifier_block newcomer = {stay, NULL, 9};
	struct leaver first = {0, 0}, second = {0, 0};
	pthread_t caller, threads[2];

	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &staying), 0);
	caller = thread_start(call_and_stay, &stepper);
	step_await(&stepper, 1);
	threads[0] = thread_start(unregister_staying, &first);
	while (srcu_notifier_call_chain(&chain, 0, NULL) != NOTIFY_DONE)
		sched_yield();
	/* It is off the chain.  One who comes too late to take it off must wait as well. */
	threads[1] = thread_start(unregister_staying, &second);
	for (int i = 0; i < 2000; i++)
		sched_yield();
	ck_assert_msg(!flag_set(&first.returned), "unregistered during a call");
	ck_assert_msg(!flag_set(&second.returned), "found to be unregistered during a call");
	/* Neither the call nor those that wait for it keep others from registering. */
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &newcomer), 0);
	ck_assert_int_eq(srcu_notifier_call_chain(&chain, 0, NULL), NOTIFY_OK);
	step_allow(&stepper, 1);
	thread_join(threads[0]);
	thread_join(threads[1]);
	thread_join(caller);
	ck_assert_int_eq(first.error, 0);
	ck_assert_int_eq(second.error, -ENOENT);
}
END_TEST

/*
 * The hunt: blocks come and go while two threads call the chain.  One that is
 * off the chain is overwritten and freed.
 */
#define ALIVE     0x600dcafeu
#define POISON    0xdb
#define GUESTS    4
#define ROUNDS    4000u
#define CALLERS   2
#define MIN_CALLS 1000u

struct guest {
	struct notifier_block block;
	unsigned int state;
	unsigned int serial; /* no two have the same: memory is used again */
};

struct hunt {
	/* Written by the test. */
	int stop;

	/* Written by the callers. */
	unsigned int calls[CALLERS];
	unsigned int next_caller;
	unsigned int dead;       /* calls of blocks that were off the chain */
	unsigned int incomplete; /* calls that left out a block that was on it */
	uint64_t guests_met;
};

/* What one call of the chain saw. */
struct visit {
	struct hunt *hunt;
	unsigned int residents;
	uint64_t guests;
};

static int count_resident(struct notifier_block *nb, unsigned long action, void *data)
{
	struct visit *visit = data;

	(void)nb;
	(void)action;
	visit->residents++;
	return NOTIFY_DONE;
}

static int inspect_guest(struct notifier_block *nb, unsigned long action, void *data)
{
	struct guest *guest = (struct guest *)nb;
	struct visit *visit = data;
	unsigned int serial = guest->serial;
	bool alive = guest->state == ALIVE;

	(void)action;
	if (visit->guests++ % 4 == 0)
		sched_yield();
	if (!alive || guest->state != ALIVE || guest->serial != serial)
		__atomic_fetch_add(&visit->hunt->dead, 1, __ATOMIC_RELAXED);
	return NOTIFY_OK;
}

static void *call_for_ever(void *arg)
{
	struct hunt *hunt = arg;
	unsigned int me = __atomic_fetch_add(&hunt->next_caller, 1, __ATOMIC_RELAXED);
	uint64_t met = 0;

	while (!flag_set(&hunt->stop)) {
		struct visit visit = {hunt, 0, met};

		srcu_notifier_call_chain(&chain, 0, &visit);
		met = visit.guests;
		if (visit.residents != 3)
			__atomic_fetch_add(&hunt->incomplete, 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&hunt->calls[me], 1, __ATOMIC_RELAXED);
	}
	__atomic_fetch_add(&hunt->guests_met, met, __ATOMIC_RELAXED);
	return NULL;
}

static struct guest *guest_comes(unsigned int round)
{
	static unsigned int serials;
	struct guest *guest = malloc(sizeof(*guest));
	int priority = (int)(round % 5) - 2;

	ck_assert_ptr_nonnull(guest);
	*guest = (struct guest){{inspect_guest, NULL, priority}, ALIVE,
		__atomic_fetch_add(&serials, 1, __ATOMIC_RELAXED)};
	ck_assert_int_eq(srcu_notifier_chain_register(&chain, &guest->block), 0);
	return guest;
}

static void guest_goes(struct guest *guest)
{
	ck_assert_int_eq(srcu_notifier_chain_unregister(&chain, &guest->block), 0);
	/* The callback stays, so that a late call is counted and does not crash. */
	memset(&guest->block.next, POISON, sizeof(*guest) - offsetof(struct guest, block.next));
	free(guest);
}

static void *host_guests(void *arg)
{
	struct guest *guests[GUESTS] = {NULL};

	(void)arg;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int place = round * 7 % GUESTS;

		if (guests[place])
			guest_goes(guests[place]);
		guests[place] = guest_comes(round);
	}
	for (int i = 0; i < GUESTS; i++)
		guest_goes(guests[i]);
	return NULL;
}

START_TEST(no_block_is_called_after_its_unregistration)
{
	struct notifier_block residents[3] = {{count_resident, NULL, 100},
		{count_resident, NULL, 0}, {count_resident, NULL, -100}};
	struct hunt hunt = {0};
	pthread_t callers[CALLERS], host;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(srcu_notifier_chain_register(&chain, &residents[i]), 0);
	for (int i = 0; i < CALLERS; i++)
		callers[i] = thread_start(call_for_ever, &hunt);
	for (int i = 0; i < CALLERS; i++)
		while (!__atomic_load_n(&hunt.calls[i], __ATOMIC_RELAXED))
			sched_yield();
	host = thread_start(host_guests, NULL);
	host_guests(NULL);
	thread_join(host);
	for (int i = 0; i < CALLERS; i++)
		while (__atomic_load_n(&hunt.calls[i], __ATOMIC_RELAXED) < MIN_CALLS)
			sched_yield();
	set_flag(&hunt.stop);
	for (int i = 0; i < CALLERS; i++)
		thread_join(callers[i]);
	ck_assert_uint_eq(hunt.dead, 0);
	ck_assert_uint_eq(hunt.incomplete, 0);
	ck_assert_uint_gt(hunt.guests_met, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(srcu_notifier_chain_unregister(&chain, &residents[i]), 0);
	assert_call(&chain, "", NOTIFY_DONE);
	ck_assert_int_eq(srcu_cleanup_notifier_head(&chain), 0);
}
END_TEST

int main(void)
{
	TCase *calls = test_case("calls"), *life = test_case("life"), *waits = test_case("waits");
	TCase *cases[] = {calls, life, waits, NULL};

	tcase_add_test(calls, blocks_are_called_by_priority);
	tcase_add_test(calls, a_value_with_the_stop_bit_ends_the_call);
	tcase_add_test(calls, callbacks_call_chains);
	tcase_add_test(calls, callbacks_register_blocks);
	tcase_add_test(life, misuse_is_refused);
	tcase_add_test(life, a_chain_begins_and_ends);
	tcase_add_test(life, a_chain_does_not_end_during_a_call);
	tcase_add_test(waits, unregistering_waits_for_the_calls);
	tcase_add_test(waits, no_block_is_called_after_its_unregistration);
	return run_suite("notifier chains", cases);
}
