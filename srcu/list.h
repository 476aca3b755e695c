/* SPDX-License-Identifier: MIT */
/*
 * Intrusive lists that are walked in read-side critical sections while updaters
 * change them: a circular list with links in both directions, and a list whose
 * head is a single pointer, for hash tables.  Header only, for any program.
 *
 * Updaters exclude each other by a lock of their own.  Readers take none; they
 * follow next (first in the head of an hlist) and read no other link.
 *
 * Ordering.  Every store to a link that readers follow is a release
 * (srcu_assign_pointer()), and every load by a reader is a consume, so that a
 * reader that reaches an element sees all that was written to it before it was
 * added.  Stores that take an element out are releases too: the element behind
 * it, to which the link then leads, may have been added by another thread.
 *
 * An element that was taken out keeps its next, so that readers that are at it
 * go on into the list.  It may be freed, changed or added again when
 * synchronize_srcu() has returned.
 */
#ifndef SRCU_LIST_H
#define SRCU_LIST_H

#if defined(list_for_each_entry_srcu) || defined(hlist_for_each_entry_srcu)
#error "list_for_each_entry_srcu or hlist_for_each_entry_srcu is defined already: \
a file can use those of <srcu/list.h> or other ones, not both"
#endif

#ifdef SRCU_DEBUG_LISTS
#include <assert.h>
#endif
#include <stddef.h>

#include <srcu/srcu.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct srcu_list_head - the head of a list, and the links in its elements
 *
 * Origin: Linux, struct list_head.
 */
struct srcu_list_head {
	struct srcu_list_head *next; /* followed by readers */
	struct srcu_list_head *prev; /* updaters only; NULL in an element that was taken out */
};

/**
 * struct srcu_hlist_head - the head of an hlist
 *
 * Origin: Linux, struct hlist_head.
 */
struct srcu_hlist_head {
	struct srcu_hlist_node *first; /* followed by readers */
};

/**
 * struct srcu_hlist_node - the links in an element of an hlist
 *
 * Origin: Linux, struct hlist_node.
 */
struct srcu_hlist_node {
	struct srcu_hlist_node *next;   /* followed by readers */
	struct srcu_hlist_node **pprev; /* updaters only: the link that leads here, or NULL */
};

/**
 * SRCU_LIST_HEAD_INIT, SRCU_HLIST_HEAD_INIT - the initial value of an empty list's head
 * @name: the variable's name
 *
 * Origin: Linux, LIST_HEAD_INIT() and HLIST_HEAD_INIT.
 */
#define SRCU_LIST_HEAD_INIT(name) \
	{                         \
		&(name), &(name)  \
	}
#define SRCU_HLIST_HEAD_INIT \
	{                    \
		NULL         \
	}

/**
 * SRCU_LIST_HEAD, SRCU_HLIST_HEAD - define the head of an empty list
 * @name: the variable's name
 *
 * Origin: Linux, LIST_HEAD() and HLIST_HEAD().
 */
#define SRCU_LIST_HEAD(name)  struct srcu_list_head name = SRCU_LIST_HEAD_INIT(name)
#define SRCU_HLIST_HEAD(name) struct srcu_hlist_head name = SRCU_HLIST_HEAD_INIT

/**
 * INIT_SRCU_LIST_HEAD, INIT_SRCU_HLIST_HEAD - make a list empty
 * @head: its head, which no reader can see
 *
 * Context: any, signal handlers included; never blocks.
 * Ordering: none.
 * Origin: Linux, INIT_LIST_HEAD() and INIT_HLIST_HEAD().
 */
static inline void INIT_SRCU_LIST_HEAD(struct srcu_list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline void INIT_SRCU_HLIST_HEAD(struct srcu_hlist_head *head)
{
	head->first = NULL;
}

/* Put @node where @prev and @next are neighbours, or where they are @node's old neighbours. */
static inline void srcu_list_insert_(
	struct srcu_list_head *node, struct srcu_list_head *prev, struct srcu_list_head *next)
{
	node->next = next;
	node->prev = prev;
	/* Release: @node is complete before a walk's load of this next finds it. */
	srcu_assign_pointer(prev->next, node);
	next->prev = node;
}

/**
 * srcu_list_add, srcu_list_add_tail - add an element at a list's beginning or end
 * @node: the links in the element, which no reader can see
 * @head: the list's head; or an element, behind or before which @node goes
 *
 * Context: any, under the updaters' lock; never blocks.
 * Ordering: what was written to the element before is seen by the walks that
 * reach it.
 * Origin: Linux, list_add_rcu() and list_add_tail_rcu().
 */
static inline void srcu_list_add(struct srcu_list_head *node, struct srcu_list_head *head)
{
	srcu_list_insert_(node, head, head->next);
}

static inline void srcu_list_add_tail(struct srcu_list_head *node, struct srcu_list_head *head)
{
	srcu_list_insert_(node, head->prev, head);
}

/**
 * srcu_list_del - take an element out of its list
 * @node: the links in the element
 *
 * Walks that are under way may still be at the element or reach it: free or
 * change it, or add it again, only after synchronize_srcu().
 *
 * Context: any, under the updaters' lock; also in the body of a walk that is at
 * the element; never blocks.
 * Ordering: the walks that do not find it see what was written to the element behind
 * it before that was added.
 * Origin: Linux, list_del_rcu().
 */
static inline void srcu_list_del(struct srcu_list_head *node)
{
	node->next->prev = node->prev;
	/* Release: pairs with the walks' load of this next, for the element behind @node. */
	srcu_assign_pointer(node->prev->next, node->next);
	node->prev = NULL;
}

/**
 * srcu_list_replace - put an element in another's place
 * @old: the links in the element that goes
 * @node: the links in the element that comes, which no reader can see
 *
 * Each walk finds one of the two, but a walk that is at @old goes on from there.
 *
 * Context and what to do with @old: as srcu_list_del().
 * Ordering: as srcu_list_add().
 * Origin: Linux, list_replace_rcu().
 */
static inline void srcu_list_replace(struct srcu_list_head *old, struct srcu_list_head *node)
{
	srcu_list_insert_(node, old->prev, old->next);
	old->prev = NULL;
}

/**
 * srcu_hlist_add_head - add an element at an hlist's beginning
 * @node: the links in the element, which no reader can see
 * @head: the hlist's head
 *
 * Context and ordering: as srcu_list_add().
 * Origin: Linux, hlist_add_head_rcu().
 */
static inline void srcu_hlist_add_head(struct srcu_hlist_node *node, struct srcu_hlist_head *head)
{
	node->next = head->first;
	node->pprev = &head->first;
	if (node->next)
		node->next->pprev = &node->next;
	/* Release: @node is complete before a walk's load of first finds it. */
	srcu_assign_pointer(head->first, node);
}

/**
 * srcu_hlist_del - take an element out of its hlist
 * @node: the links in the element
 *
 * Context, ordering and what to do with the element: as srcu_list_del().
 * Origin: Linux, hlist_del_rcu().
 */
static inline void srcu_hlist_del(struct srcu_hlist_node *node)
{
	if (node->next)
		node->next->pprev = node->pprev;
	/* Release: pairs with the walks' load of this link, for the element behind @node. */
	srcu_assign_pointer(*node->pprev, node->next);
	node->pprev = NULL;
}

/* The walks' loads; they pair with the releases above. */
static inline struct srcu_list_head *srcu_list_next_(const struct srcu_list_head *node)
{
	return __atomic_load_n(&node->next, __ATOMIC_CONSUME);
}

static inline struct srcu_hlist_node *srcu_hlist_follow_(struct srcu_hlist_node *const *link)
{
	return __atomic_load_n(link, __ATOMIC_CONSUME);
}

/* The element whose links, at @offset in it, are @node. */
static inline void *srcu_list_element_(struct srcu_list_head *node, size_t offset)
{
	return (char *)node - offset;
}

static inline void *srcu_hlist_element_(struct srcu_hlist_node *node, size_t offset)
{
	return node ? (char *)node - offset : NULL;
}

/*
 * The links in the element @element.  Not by ->: the element of a list's head
 * is none, and need not be aligned as one.
 */
static inline const struct srcu_list_head *srcu_list_links_(const void *element, size_t offset)
{
	return (const struct srcu_list_head *)(const void *)((const char *)element + offset);
}

#ifdef SRCU_DEBUG_LISTS
#define srcu_list_check_(cond) assert(cond)
#else
#define srcu_list_check_(cond) ((void)(0 && (cond)))
#endif

#define srcu_list_offset_(pos, member) offsetof(__typeof__(*(pos)), member)

/**
 * list_for_each_entry_srcu - walk a list
 * @pos: a pointer to an element's type: the element that the walk is at
 * @head: the list's head
 * @member: the links' name in the element's type
 * @cond: is the caller allowed to walk: in a section, or under the updaters' lock
 *
 * The head of a for statement.  Every element that is in the list from the
 * walk's beginning to its end is visited once, in the list's order; one that is
 * added or taken out meanwhile may be visited or not.  At the end of a walk that
 * break did not leave, @pos points to no element.
 *
 * @cond is evaluated once per walk, and asserted, in files that define
 * SRCU_DEBUG_LISTS before they include this one; elsewhere it is not evaluated.
 *
 * Context: a read-side critical section from before the walk to after the last
 * use of an element, signal handlers included; or the updaters' lock.
 * Ordering: accesses to an element come after the load that found it.
 * Origin: Linux, list_for_each_entry_srcu().
 */
#define list_for_each_entry_srcu(pos, head, member, cond)                        \
	for (srcu_list_check_(cond),                                             \
		pos = (__typeof__(pos))srcu_list_element_(                       \
			srcu_list_next_(head), srcu_list_offset_(pos, member));  \
		srcu_list_links_(pos, srcu_list_offset_(pos, member)) != (head); \
		pos = (__typeof__(pos))srcu_list_element_(                       \
			srcu_list_next_(&(pos)->member), srcu_list_offset_(pos, member)))

/**
 * hlist_for_each_entry_srcu - walk an hlist
 * @pos: a pointer to an element's type: the element that the walk is at
 * @head: the hlist's head
 * @member: the links' name in the element's type
 * @cond: is the caller allowed to walk: in a section, or under the updaters' lock
 *
 * As list_for_each_entry_srcu(), but @pos is NULL at the end.
 *
 * Context and ordering: as list_for_each_entry_srcu().
 * Origin: Linux, hlist_for_each_entry_srcu().
 */
#define hlist_for_each_entry_srcu(pos, head, member, cond)                                   \
	for (srcu_list_check_(cond),                                                         \
		pos = (__typeof__(pos))srcu_hlist_element_(                                  \
			srcu_hlist_follow_(&(head)->first), srcu_list_offset_(pos, member)); \
		pos;                                                                         \
		pos = (__typeof__(pos))srcu_hlist_element_(                                  \
			srcu_hlist_follow_(&(pos)->member.next), srcu_list_offset_(pos, member)))

#ifdef __cplusplus
}
#endif

#endif /* SRCU_LIST_H */
