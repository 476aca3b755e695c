/* SPDX-License-Identifier: MIT */
/*
 * liburcu's interface over libsrcu: sections nest, across units;
 * callbacks come by themselves; liburcu in the same process is left alone.
 */
#ifdef HAVE_LIBURCU
#define _LGPL_SOURCE
#include <urcu/rculist.h>
#include <urcu/rcuhlist.h>
#endif
#include <srcu/urcu-compat.h>

#include <sched.h>

#include "child.h"
#include "harness.h"
#include "urcu-test.h"

/* With no section in its way a grace period takes fewer polls than these. */
static bool passes(struct urcu_gp_poll_state state)
{
	for (int i = 0; i < 6; i++)
		if (poll_state_synchronize_rcu(state))
			return true;
	return false;
}

static uint64_t readers(void)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(&srcu_urcu_domain, &stats), 0);
	return stats.readers;
}

static void own_read_lock(void)
{
	rcu_read_lock();
}

static void own_read_unlock(void)
{
	rcu_read_unlock();
}

static void (*const locks[])(void) = {own_read_lock, other_read_lock};
static void (*const unlocks[])(void) = {own_read_unlock, other_read_unlock};

/* Each bit of _i chooses the unit of one call. */
START_TEST(the_outermost_section_counts_whatever_unit_it_is_of)
{
	struct urcu_gp_poll_state state;

	ck_assert(!rcu_read_ongoing());
	locks[_i & 1]();
	state = start_poll_synchronize_rcu();
	locks[_i >> 1 & 1]();
	ck_assert(rcu_read_ongoing() && other_read_ongoing());
	ck_assert_uint_eq(readers(), 1);
	unlocks[_i >> 2 & 1]();
	ck_assert(rcu_read_ongoing() && other_read_ongoing());
	ck_assert(!passes(state));
	unlocks[_i >> 3]();
	ck_assert(!rcu_read_ongoing() && !other_read_ongoing());
	ck_assert(passes(state));
	ck_assert_uint_eq(readers(), 0);
	synchronize_rcu();
}
END_TEST

START_TEST(an_unlock_too_many_is_reported_and_not_counted)
{
	warnings_collect();
	rcu_read_lock();
	rcu_read_unlock();
	ck_assert_uint_eq(warnings(), 0);
	rcu_read_unlock();
	ck_assert(warned_of("rcu_read_unlock: without rcu_read_lock"));
	other_read_unlock();
	ck_assert_uint_eq(warnings(), 2);
	ck_assert(!rcu_read_ongoing());
	synchronize_rcu();
}
END_TEST

struct object {
	int called;
	struct rcu_head rcu_head;
};

static void note_call(struct rcu_head *head)
{
	set_flag(&caa_container_of(head, struct object, rcu_head)->called);
}

static void call_and_await(void *object)
{
	struct object *o = object;

	rcu_read_lock();
	call_rcu(&o->rcu_head, note_call);
	rcu_read_unlock();
	await_flag(&o->called);
}

START_TEST(callbacks_come_without_being_asked_for)
{
	static struct object first, second;

	call_and_await(&first);
	ck_assert(child_succeeds(CHILD_EXITS, call_and_await, &second));
	rcu_read_lock();
	call_rcu(&second.rcu_head, note_call);
	ck_assert(!flag_set(&second.called));
	rcu_read_unlock();
	rcu_barrier();
	ck_assert(flag_set(&second.called));
}
END_TEST

START_TEST(pointers_are_published_and_exchanged)
{
	static int one, two;
	int *shared = NULL;

	rcu_assign_pointer(shared, &one);
	ck_assert_ptr_eq(rcu_dereference(shared), &one);
	ck_assert_ptr_eq(rcu_xchg_pointer(&shared, &two), &one);
	ck_assert_ptr_eq(rcu_cmpxchg_pointer(&shared, &one, NULL), &two);
	ck_assert_ptr_eq(rcu_dereference(shared), &two);
	ck_assert_ptr_eq(rcu_cmpxchg_pointer(&shared, &two, &one), &two);
	ck_assert_ptr_eq(rcu_dereference(shared), &one);
	rcu_set_pointer(&shared, NULL);
	ck_assert_ptr_null(rcu_dereference(shared));
}
END_TEST

#ifdef HAVE_LIBURCU
struct node {
	struct cds_list_head links;
	struct cds_hlist_node hlinks;
	int number;
};

START_TEST(the_lists_of_liburcu_are_walked)
{
	static CDS_LIST_HEAD(list);
	static struct cds_hlist_head hlist;
	struct node nodes[3] = {{.number = 1}, {.number = 10}, {.number = 100}}, *node;
	int sum = 0;

	for (int i = 0; i < 3; i++) {
		cds_list_add_rcu(&nodes[i].links, &list);
		cds_hlist_add_head_rcu(&nodes[i].hlinks, &hlist);
	}
	rcu_read_lock();
	cds_list_for_each_entry_rcu (node, &list, links)
		sum += node->number;
	cds_hlist_for_each_entry_rcu_2(node, &hlist, hlinks) sum += 2 * node->number;
	rcu_read_unlock();
	ck_assert_int_eq(sum, 333);
}
END_TEST

#ifndef SRCU_TSAN /* which takes what orders liburcu's sections for races */
/* Either side would wait for ever if it took the other's section for its own. */
START_TEST(a_flavor_of_liburcu_is_another_domain)
{
	static struct object object;
	int called = 0;

	flavor_begin();
	synchronize_rcu();
	call_and_await(&object);
	flavor_end();
	rcu_read_lock();
	flavor_synchronize();
	flavor_call(&called);
	flavor_barrier();
	ck_assert(flag_set(&called));
	ck_assert(!passes(start_poll_synchronize_rcu()));
	rcu_read_unlock();
}
END_TEST
#endif
#endif

int main(void)
{
	TCase *sections = test_case("sections"), *rest = test_case("callbacks and pointers");
	TCase *cases[] = {sections, rest, NULL};

	tcase_add_loop_test(sections, the_outermost_section_counts_whatever_unit_it_is_of, 0, 16);
	tcase_add_test(sections, an_unlock_too_many_is_reported_and_not_counted);
	tcase_add_test(rest, callbacks_come_without_being_asked_for);
	tcase_add_test(rest, pointers_are_published_and_exchanged);
#ifdef HAVE_LIBURCU
	tcase_add_test(rest, the_lists_of_liburcu_are_walked);
#ifndef SRCU_TSAN
	tcase_add_test(rest, a_flavor_of_liburcu_is_another_domain);
#endif
#endif
	return run_suite("urcu-compat", cases);
}
