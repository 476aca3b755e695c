/* SPDX-License-Identifier: MIT */
/*
 * Lists: what each operation does to the links, what a walk visits, the check of
 * a walk's condition; and the hunt for a walk that misses an element that
 * stays, or meets one that is gone.
 *
 * Built twice, with SRCU_DEBUG_LISTS and without.
 */
#undef NDEBUG /* the check of the condition is an assertion */

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <srcu/list.h>

#include "harness.h"

DEFINE_STATIC_SRCU(domain);
static SRCU_LIST_HEAD(list);
static SRCU_HLIST_HEAD(hlist);

#define ALIVE  0x600dcafeu
#define POISON 0xdb

/* The links are neither first nor last, and the alignment is not the head's. */
struct item {
	_Alignas(64) unsigned int state;
	struct srcu_list_head link;
	struct srcu_hlist_node hlink;
	int id;
};

static struct item *item_new(int id)
{
	struct item *item = aligned_alloc(_Alignof(struct item), sizeof(*item));

	ck_assert_ptr_nonnull(item);
	memset(item, POISON, sizeof(*item));
	item->state = ALIVE;
	item->id = id;
	return item;
}

static void item_free(struct item *item)
{
	memset(item, POISON, sizeof(*item));
	free(item);
}

static void items_free(struct item *a, struct item *b, struct item *c)
{
	item_free(a);
	item_free(b);
	item_free(c);
}

/* The ids of a walk as a string, and the links back. */
static void assert_list(const struct srcu_list_head *head, const char *ids)
{
	const struct srcu_list_head *before = head;
	const struct item *item;
	char found[32] = "";
	size_t length = 0;

	list_for_each_entry_srcu (item, head, link, true) {
		found[length++] = (char)item->id;
		ck_assert_ptr_eq(item->link.prev, before);
		before = &item->link;
	}
	ck_assert_str_eq(found, ids);
	ck_assert_ptr_eq(head->prev, before);
}

static void assert_hlist(const struct srcu_hlist_head *head, const char *ids)
{
	struct srcu_hlist_node *const *link = &head->first;
	struct item *item;
	char found[32] = "";
	size_t length = 0;

	hlist_for_each_entry_srcu (item, head, hlink, true) {
		found[length++] = (char)item->id;
		ck_assert_ptr_eq(item->hlink.pprev, link);
		link = &item->hlink.next;
	}
	ck_assert_ptr_null(item);
	ck_assert_str_eq(found, ids);
}

START_TEST(elements_are_added_and_taken_out)
{
	struct item *a = item_new('a'), *b = item_new('b'), *c = item_new('c');
	struct item *d = item_new('d');

	assert_list(&list, "");
	srcu_list_add(&b->link, &list);
	assert_list(&list, "b");
	srcu_list_add(&a->link, &list);
	srcu_list_add_tail(&c->link, &list);
	assert_list(&list, "abc");
	/* Behind and before an element in place of the head. */
	srcu_list_add(&d->link, &a->link);
	assert_list(&list, "adbc");
	srcu_list_del(&d->link);
	assert_list(&list, "abc");
	srcu_list_add_tail(&d->link, &c->link);
	assert_list(&list, "abdc");
	srcu_list_del(&a->link);
	srcu_list_del(&c->link);
	assert_list(&list, "bd");
	srcu_list_del(&b->link);
	srcu_list_del(&d->link);
	assert_list(&list, "");
	srcu_list_add_tail(&a->link, &list);
	INIT_SRCU_LIST_HEAD(&list);
	assert_list(&list, "");
	items_free(a, b, c);
	item_free(d);
}
END_TEST

START_TEST(elements_are_replaced)
{
	struct item *a = item_new('a'), *b = item_new('b'), *c = item_new('c');

	srcu_list_add(&a->link, &list);
	srcu_list_replace(&a->link, &b->link);
	assert_list(&list, "b");
	srcu_list_add(&a->link, &list);
	srcu_list_replace(&b->link, &c->link);
	assert_list(&list, "ac");
	srcu_list_replace(&a->link, &b->link);
	assert_list(&list, "bc");
	ck_assert_ptr_null(a->link.prev);
	ck_assert_ptr_eq(a->link.next, &c->link);
	items_free(a, b, c);
}
END_TEST

START_TEST(hlist_elements_are_added_and_taken_out)
{
	struct srcu_hlist_head buckets[2];
	struct item *a = item_new('a'), *b = item_new('b'), *c = item_new('c');

	assert_hlist(&hlist, "");
	srcu_hlist_add_head(&c->hlink, &hlist);
	srcu_hlist_add_head(&b->hlink, &hlist);
	srcu_hlist_add_head(&a->hlink, &hlist);
	assert_hlist(&hlist, "abc");
	srcu_hlist_del(&b->hlink);
	assert_hlist(&hlist, "ac");
	srcu_hlist_del(&c->hlink);
	assert_hlist(&hlist, "a");
	srcu_hlist_del(&a->hlink);
	assert_hlist(&hlist, "");
	memset(buckets, POISON, sizeof(buckets));
	for (int i = 0; i < 2; i++)
		INIT_SRCU_HLIST_HEAD(&buckets[i]);
	srcu_hlist_add_head(&a->hlink, &buckets[1]);
	assert_hlist(&buckets[0], "");
	assert_hlist(&buckets[1], "a");
	items_free(a, b, c);
}
END_TEST

/* A walk that is at an element when it goes, and the next one too. */
START_TEST(a_walk_goes_on_from_an_element_that_was_taken_out)
{
	struct item *items[4], *item;
	char found[8] = "", hfound[8] = "";
	size_t length = 0;

	for (int i = 3; i >= 0; i--) {
		items[i] = item_new('a' + i);
		srcu_list_add(&items[i]->link, &list);
		srcu_hlist_add_head(&items[i]->hlink, &hlist);
	}
	list_for_each_entry_srcu (item, &list, link, true) {
		found[length++] = (char)item->id;
		if (item == items[1]) {
			srcu_list_del(&items[1]->link);
			srcu_list_del(&items[2]->link);
		}
	}
	ck_assert_str_eq(found, "abcd");
	assert_list(&list, "ad");
	length = 0;
	hlist_for_each_entry_srcu (item, &hlist, hlink, true) {
		hfound[length++] = (char)item->id;
		if (item == items[1]) {
			srcu_hlist_del(&items[1]->hlink);
			srcu_hlist_del(&items[2]->hlink);
		}
	}
	ck_assert_str_eq(hfound, "abcd");
	assert_hlist(&hlist, "ad");
	ck_assert_ptr_null(items[1]->link.prev);
	ck_assert_ptr_null(items[1]->hlink.pprev);
	for (int i = 0; i < 4; i++)
		item_free(items[i]);
}
END_TEST

/*
 * A walk that is ordered after the updates by the links alone: the element
 * behind one that was taken out is seen whole.  Only a tool that follows the
 * order, as TSan does, can see more here than the machine's order.
 */
static int changed;

static void *walk_when_changed(void *arg)
{
	unsigned int *sum = arg;
	const struct item *item;
	int idx;

	while (!__atomic_load_n(&changed, __ATOMIC_RELAXED))
		sched_yield();
	idx = srcu_read_lock(&domain);
	list_for_each_entry_srcu (item, &list, link, idx >= 0)
		*sum += (unsigned int)item->id;
	srcu_read_unlock(&domain, idx);
	return NULL;
}

START_TEST(links_order_a_walk_after_the_updates)
{
	struct item *behind, *before;
	unsigned int sum = 0;
	pthread_t thread = thread_start(walk_when_changed, &sum);

	before = item_new(100);
	srcu_list_add(&before->link, &list);
	behind = item_new(3);
	srcu_list_add_tail(&behind->link, &list);
	srcu_list_del(&before->link);
	__atomic_store_n(&changed, 1, __ATOMIC_RELAXED);
	thread_join(thread);
	ck_assert_uint_eq(sum, 3);
	item_free(behind);
	item_free(before);
}
END_TEST

static unsigned int asked;

static bool ask(bool answer)
{
	asked++;
	return answer;
}

START_TEST(the_condition_is_evaluated_once_or_not_at_all)
{
	struct item *a = item_new('a'), *b = item_new('b'), *item;
	unsigned int visited = 0;

	srcu_list_add(&a->link, &list);
	srcu_list_add(&b->link, &list);
	srcu_hlist_add_head(&a->hlink, &hlist);
	srcu_hlist_add_head(&b->hlink, &hlist);
	list_for_each_entry_srcu (item, &list, link, ask(true))
		visited++;
	hlist_for_each_entry_srcu (item, &hlist, hlink, ask(true))
		visited++;
	ck_assert_uint_eq(visited, 4);
#ifdef SRCU_DEBUG_LISTS
	ck_assert_uint_eq(asked, 2);
#else
	ck_assert_uint_eq(asked, 0);
	list_for_each_entry_srcu (item, &list, link, ask(false))
		visited++;
	hlist_for_each_entry_srcu (item, &hlist, hlink, ask(false))
		visited++;
	ck_assert_uint_eq(visited, 8);
#endif
	item_free(a);
	item_free(b);
}
END_TEST

#ifdef SRCU_DEBUG_LISTS
START_TEST(a_walk_without_permission_aborts)
{
	struct item *item;

	if (_i == 0)
		list_for_each_entry_srcu (item, &list, link, ask(false))
			;
	else
		hlist_for_each_entry_srcu (item, &hlist, hlink, ask(false))
			;
}
END_TEST
#endif

/*
 * The hunt.  Residents stay, with ids 0, 1, 2 and so on in the order of both
 * lists; in the list they are also replaced by copies of themselves.  Between
 * and around them guests come, go and move.  Two threads walk.
 */
#define RESIDENTS 6
#define GUESTS    6
#define GUEST_ID  100
#define ROUNDS    4000u
#define WALKERS   2
#define MIN_WALKS 1000u

struct hunt {
	/* Written by the test. */
	int stop;
	struct item *residents[RESIDENTS];
	struct item *guests[GUESTS];

	/* Written by the walkers. */
	unsigned int walks[WALKERS];
	unsigned int next_walker;
	unsigned int dead;   /* elements met that were gone */
	unsigned int missed; /* walks that did not meet all residents, once and in order */
	unsigned int guests_met;
};

/* One walk. */
struct walk {
	int next_resident;
	unsigned int steps;
	unsigned int dead;
	unsigned int guests;
	bool out_of_order;
};

static void visit(struct walk *walk, const struct item *item)
{
	int id = item->id;

	if (++walk->steps % 8 == 0)
		sched_yield();
	if (item->state != ALIVE || item->id != id)
		walk->dead++;
	else if (id >= GUEST_ID)
		walk->guests++;
	else if (id == walk->next_resident)
		walk->next_resident++;
	else
		walk->out_of_order = true;
}

static void walk_end(struct hunt *hunt, struct walk *walk)
{
	__atomic_fetch_add(&hunt->dead, walk->dead, __ATOMIC_RELAXED);
	__atomic_fetch_add(&hunt->guests_met, walk->guests, __ATOMIC_RELAXED);
	if (walk->next_resident != RESIDENTS || walk->out_of_order)
		__atomic_fetch_add(&hunt->missed, 1, __ATOMIC_RELAXED);
	*walk = (struct walk){.steps = walk->steps};
}

static void *walk_for_ever(void *arg)
{
	struct hunt *hunt = arg;
	unsigned int me = __atomic_fetch_add(&hunt->next_walker, 1, __ATOMIC_RELAXED);
	struct walk walk = {0};
	const struct item *item;

	while (!flag_set(&hunt->stop)) {
		int idx = srcu_read_lock(&domain);

		list_for_each_entry_srcu (item, &list, link, idx >= 0)
			visit(&walk, item);
		srcu_read_unlock(&domain, idx);
		walk_end(hunt, &walk);
		idx = srcu_read_lock(&domain);
		hlist_for_each_entry_srcu (item, &hlist, hlink, idx >= 0)
			visit(&walk, item);
		srcu_read_unlock(&domain, idx);
		walk_end(hunt, &walk);
		__atomic_fetch_add(&hunt->walks[me], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* A number that looks like chance, the same in every run. */
static unsigned int dice(unsigned int round)
{
	return round * 2654435761u >> 16;
}

/* In front or behind, at an end or beside a resident. */
static void add_guest(struct hunt *hunt, struct item *guest, unsigned int round)
{
	unsigned int place = dice(round) / 2 % (RESIDENTS + 1);
	struct srcu_list_head *where = &list;

	if (place < RESIDENTS)
		where = &hunt->residents[place]->link;
	if (dice(round) % 2)
		srcu_list_add(&guest->link, where);
	else
		srcu_list_add_tail(&guest->link, where);
	srcu_hlist_add_head(&guest->hlink, &hlist);
}

static void move_guest(struct hunt *hunt, struct item *guest, unsigned int round)
{
	srcu_list_del(&guest->link);
	srcu_hlist_del(&guest->hlink);
	synchronize_srcu(&domain);
	add_guest(hunt, guest, round);
}

static void remove_guest(struct item *guest)
{
	srcu_list_del(&guest->link);
	srcu_hlist_del(&guest->hlink);
	synchronize_srcu(&domain);
	item_free(guest);
}

/* The list's resident only: the one in the hlist is another element with its id. */
static void replace_resident(struct item **resident)
{
	struct item *old = *resident;

	*resident = item_new(old->id);
	srcu_list_replace(&old->link, &(*resident)->link);
	synchronize_srcu(&domain);
	item_free(old);
}

static void change_lists(struct hunt *hunt)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct item **guest = &hunt->guests[dice(round) % GUESTS];

		if (round % 3 == 0) {
			move_guest(hunt, *guest, round);
			continue;
		}
		remove_guest(*guest);
		*guest = item_new(GUEST_ID + (int)round);
		add_guest(hunt, *guest, round);
		replace_resident(&hunt->residents[round % RESIDENTS]);
	}
}

START_TEST(walks_meet_all_that_stay_and_none_that_are_gone)
{
	struct item *hresidents[RESIDENTS];
	struct hunt hunt = {0};
	pthread_t walkers[WALKERS];

	for (int i = RESIDENTS - 1; i >= 0; i--) {
		hunt.residents[i] = item_new(i);
		srcu_list_add(&hunt.residents[i]->link, &list);
		hunt.guests[i] = item_new(GUEST_ID);
		hresidents[i] = item_new(i);
		srcu_hlist_add_head(&hresidents[i]->hlink, &hlist);
		srcu_list_add(&hunt.guests[i]->link, &list);
		srcu_hlist_add_head(&hunt.guests[i]->hlink, &hlist);
	}
	for (int i = 0; i < WALKERS; i++)
		walkers[i] = thread_start(walk_for_ever, &hunt);
	for (int i = 0; i < WALKERS; i++)
		while (!__atomic_load_n(&hunt.walks[i], __ATOMIC_RELAXED))
			sched_yield();
	change_lists(&hunt);
	for (int i = 0; i < WALKERS; i++)
		while (__atomic_load_n(&hunt.walks[i], __ATOMIC_RELAXED) < MIN_WALKS)
			sched_yield();
	set_flag(&hunt.stop);
	for (int i = 0; i < WALKERS; i++)
		thread_join(walkers[i]);
	ck_assert_uint_eq(hunt.dead, 0);
	ck_assert_uint_eq(hunt.missed, 0);
	ck_assert_uint_gt(hunt.guests_met, 0);
	for (int i = 0; i < RESIDENTS; i++)
		items_free(hunt.residents[i], hresidents[i], hunt.guests[i]);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

int main(void)
{
	TCase *links = test_case("links"), *walks = test_case("walks");
	TCase *cases[] = {links, walks, NULL};

	tcase_add_test(links, elements_are_added_and_taken_out);
	tcase_add_test(links, elements_are_replaced);
	tcase_add_test(links, hlist_elements_are_added_and_taken_out);
	tcase_add_test(walks, a_walk_goes_on_from_an_element_that_was_taken_out);
	tcase_add_test(walks, links_order_a_walk_after_the_updates);
	tcase_add_test(walks, the_condition_is_evaluated_once_or_not_at_all);
#ifdef SRCU_DEBUG_LISTS
	tcase_add_loop_test_raise_signal(walks, a_walk_without_permission_aborts, SIGABRT, 0, 2);
#endif
	tcase_add_test(walks, walks_meet_all_that_stay_and_none_that_are_gone);
	return run_suite("lists", cases);
}
