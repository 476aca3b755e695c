/* SPDX-License-Identifier: MIT */
/*
 * The combining tree in front of a domain's grace-period lock, for domains that
 * many CPUs update at once.  Who needs a grace period climbs from the leaf of its
 * CPU to the root, and leaves its number at each node.  Where the number has been
 * left before it stops: whoever left it goes on for both, and wakes those who
 * stopped on its way when it comes back.  So each node's parent is troubled once
 * for each number, and the root by its children only.  There are at most two
 * numbers at a time, that of the grace period under way and the next: one that is
 * left over an older one of the same parity says that the older is done.
 *
 * A node promises nothing but that: the one who left the number either sees the
 * grace period done, or takes the number back before it wakes the others, who
 * then climb on themselves.  One who was stopped on its way does neither: who
 * waits for it and finds that nobody leads does so itself.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define NAP_MIN_NS 1000000u
#define NAP_MAX_NS 100000000u

struct srcu_node_ {
	uint64_t led[2];          /* by parity: the number that somebody went on with, to lead */
	uint64_t wanted;          /* the latest number that somebody went on with, to ask for it */
	uint64_t touched;         /* how many came to this node */
	uint32_t event[2];        /* by parity: changes when somebody comes back */
	uint32_t sleepers;        /* those who may sleep on one of them */
	struct srcu_node_ *spare; /* the next tree that is not in use */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct srcu_node_) == 64, "a node is a cache line");

/*
 * A place in the tree: a node of a level.  The levels lie behind one another, the
 * leaves first, and the last has one node, the root.
 */
struct place {
	unsigned int first; /* node of the level */
	unsigned int width; /* of the level */
	unsigned int index; /* in the level */
};

static unsigned int parents_of(unsigned int nodes)
{
	return (nodes + SRCU_FANOUT - 1) / SRCU_FANOUT;
}

static struct place leaf_of(unsigned int cpu)
{
	return (struct place){0, parents_of(nr_possible_cpus()), cpu / SRCU_FANOUT};
}

static struct place parent_of(struct place at)
{
	return (struct place){at.first + at.width, parents_of(at.width), at.index / SRCU_FANOUT};
}

static bool is_root(struct place at)
{
	return at.width == 1;
}

static struct place root_place(void)
{
	struct place at = leaf_of(0);

	while (!is_root(at))
		at = parent_of(at);
	return at;
}

static size_t tree_size(void)
{
	return (root_place().first + 1) * sizeof(struct srcu_node_);
}

/* The CPU that this thread stands for in tests, plus one. */
static __thread unsigned int stands_for __attribute__((tls_model("initial-exec")));

/*
 * For tests: from now on the calling thread comes from the leaf of @cpu, and the
 * domain's scans cover it.  Readers go on counting where the thread runs.
 */
void srcu_stand_for_cpu_(struct srcu_struct *ssp, unsigned int cpu)
{
	uintptr_t word = srcu_domain_word(ssp);

	stands_for = cpu + 1;
	if (!(word & WORD_TWIN))
		srcu_domain_cover_cpu(ssp, word, cpu);
}

static unsigned int this_leaf_cpu(void)
{
	int cpu = stands_for ? (int)stands_for - 1 : srcu_this_cpu();

	return cpu >= 0 && (unsigned int)cpu < nr_possible_cpus() ? (unsigned int)cpu : 0;
}

static void touch(struct srcu_node_ *node, struct place at)
{
	if (is_root(at))
		__atomic_fetch_add(&node->touched, 1, __ATOMIC_RELAXED);
}

/* How a wait at a node ended. */
enum wait_result { DONE, GIVEN_UP, NOBODY_LEADS, TIMED_OUT };

static unsigned int parity(uint64_t number)
{
	return number & 1;
}

/*
 * Sleep at a node until the grace period is done or the one who went on has come
 * back without it.  Now and then see whether anybody leads: who went on may have
 * been stopped on the way.
 */
static enum wait_result sleep_at(
	struct srcu_struct *ssp, struct srcu_node_ *node, uint64_t number, uint64_t deadline_ns)
{
	const uint32_t *word = &node->event[parity(number)];

	for (uint64_t nap = NAP_MIN_NS;; nap *= 2) {
		uint32_t event = __atomic_load_n(word, __ATOMIC_ACQUIRE);
		uint64_t now = srcu_now_ns();

		if (srcu_gp_done(ssp, number))
			return DONE;
		if (__atomic_load_n(&node->led[parity(number)], __ATOMIC_RELAXED) != number)
			return GIVEN_UP;
		if (nap > NAP_MIN_NS && srcu_is_unlocked(&ssp->gp_lock_))
			return NOBODY_LEADS;
		if (now >= deadline_ns)
			return TIMED_OUT;
		nap = min_u64(nap, NAP_MAX_NS);
		__atomic_fetch_add(&node->sleepers, 1, __ATOMIC_SEQ_CST);
		srcu_futex_wait(word, event, min_u64(nap, deadline_ns - now));
		__atomic_fetch_sub(&node->sleepers, 1, __ATOMIC_RELAXED);
	}
}

/*
 * Climb towards the root for the grace period @climb->number: true when it is
 * done or is the caller's to lead, false when the deadline has passed.  Follow by
 * srcu_tree_descend() in either case.
 */
bool srcu_tree_climb(struct srcu_struct *ssp, struct srcu_climb *climb, uint64_t deadline_ns)
{
	struct srcu_node_ *nodes = __atomic_load_n(&ssp->tree_, __ATOMIC_ACQUIRE);
	struct place at;

	climb->height = 0;
	if (likely(!nodes))
		return true;
	at = leaf_of(this_leaf_cpu());
	for (;;) {
		struct srcu_node_ *node = &nodes[at.first + at.index];

		touch(node, at);
		INJECT(CLIMB);
		/* Its full fence: who stops here does so after we came. */
		while (!raise_u64(&node->led[parity(climb->number)], climb->number)) {
			enum wait_result result = sleep_at(ssp, node, climb->number, deadline_ns);

			if (result != GIVEN_UP)
				return result != TIMED_OUT;
		}
		climb->path[climb->height++] = node;
		if (is_root(at))
			return true;
		at = parent_of(at);
	}
}

/* Come back down, and wake who stopped on the way. */
void srcu_tree_descend(const struct srcu_struct *ssp, struct srcu_climb *climb)
{
	bool done = !climb->height || srcu_gp_done(ssp, climb->number);

	while (climb->height) {
		struct srcu_node_ *node = climb->path[--climb->height];
		uint64_t number = climb->number;
		uint32_t *event = &node->event[parity(number)];

		if (!done)
			__atomic_compare_exchange_n(&node->led[parity(number)], &number, 0, false,
				__ATOMIC_RELAXED, __ATOMIC_RELAXED);
		/* Either the sleeper sees the event, or we see the sleeper. */
		__atomic_fetch_add(event, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&node->sleepers, __ATOMIC_SEQ_CST))
			srcu_futex_wake(event);
	}
}

/*
 * Ask for the grace period @number without waiting for it: true when the request
 * is the caller's to start.  Lock-free: may be in a handler.
 */
bool srcu_tree_request(struct srcu_struct *ssp, uint64_t number)
{
	struct srcu_node_ *nodes = __atomic_load_n(&ssp->tree_, __ATOMIC_ACQUIRE);
	struct place at;

	if (nodes) {
		at = leaf_of(this_leaf_cpu());
		for (;; at = parent_of(at)) {
			struct srcu_node_ *node = &nodes[at.first + at.index];

			touch(node, at);
			INJECT(CLIMB);
			if (!raise_u64(&node->wanted, number))
				return false;
			if (is_root(at))
				break;
		}
	}
	raise_u64(&ssp->needed_, number);
	return true;
}

/*
 * For one who polls: the request may be stuck with somebody who does not run, or
 * is what this handler has interrupted.  It left its leaf on whatever CPU it was.
 */
void srcu_tree_insist(struct srcu_struct *ssp, uint64_t number)
{
	const struct srcu_node_ *nodes = __atomic_load_n(&ssp->tree_, __ATOMIC_ACQUIRE);

	if (likely(!nodes) || __atomic_load_n(&ssp->needed_, __ATOMIC_RELAXED) >= number)
		return;
	for (unsigned int leaf = 0; leaf < leaf_of(0).width; leaf++)
		if (__atomic_load_n(&nodes[leaf].wanted, __ATOMIC_RELAXED) >= number) {
			raise_u64(&ssp->needed_, number);
			return;
		}
}

/*
 * Trees that are not in use.  They are never unmapped: who uses a domain while it
 * is cleaned up finds its nodes, or those of another, who are no worse off for it
 * than by one who gives up.
 */
static struct srcu_node_ *spares;

static void put_spare(struct srcu_node_ *tree)
{
	struct srcu_node_ *first = __atomic_load_n(&spares, __ATOMIC_RELAXED);

	do
		tree->spare = first;
	while (!__atomic_compare_exchange_n(
		&spares, &first, tree, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
}

/* Takes all and puts back the others, so that none comes and goes in between. */
static struct srcu_node_ *take_spare(void)
{
	struct srcu_node_ *taken = __atomic_exchange_n(&spares, NULL, __ATOMIC_ACQUIRE);
	struct srcu_node_ *rest = taken ? taken->spare : NULL;

	while (rest) {
		struct srcu_node_ *next = rest->spare;

		put_spare(rest);
		rest = next;
	}
	return taken;
}

static struct srcu_node_ *new_tree(void)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	struct srcu_node_ *spare = take_spare();
	void *tree;

	if (spare)
		return spare;
	tree = mmap(NULL, tree_size(), PROT_READ | PROT_WRITE, flags, -1, 0);
	return tree == MAP_FAILED ? NULL : tree;
}

static void free_tree(struct srcu_node_ *tree)
{
	memset(tree, 0, tree_size());
	put_spare(tree);
}

/* Give the domain a tree, if there is memory and it would be more than its root. */
void srcu_tree_grow(struct srcu_struct *ssp)
{
	struct srcu_node_ *none = NULL, *tree;

	if ((domain_flags(ssp) & DOMAIN_CLASSIC) || is_root(leaf_of(0)) ||
		__atomic_load_n(&ssp->tree_, __ATOMIC_RELAXED) || srcu_forced(FORCE_NOMEMORY))
		return;
	tree = new_tree();
	if (tree && !__atomic_compare_exchange_n(
			    &ssp->tree_, &none, tree, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		free_tree(tree);
}

/* Of a domain that nobody uses any more. */
void srcu_tree_release(struct srcu_struct *ssp)
{
	struct srcu_node_ *tree = __atomic_exchange_n(&ssp->tree_, NULL, __ATOMIC_ACQ_REL);

	if (tree)
		free_tree(tree);
}

/* In the child of a fork: those who had gone on for others are not there. */
void srcu_tree_forget(struct srcu_struct *ssp)
{
	if (!ssp->tree_)
		return;
	memset(ssp->tree_, 0, tree_size());
	raise_u64(&ssp->needed_, ssp->started_ + 1); /* a request may have been among them */
}

/* The tree's levels and how many requests came to its root. */
void srcu_tree_stats(const struct srcu_struct *ssp, struct srcu_stats *stats)
{
	const struct srcu_node_ *nodes = __atomic_load_n(&ssp->tree_, __ATOMIC_ACQUIRE);
	struct place at = leaf_of(0);

	if (!nodes)
		return;
	for (stats->levels = 1; !is_root(at); at = parent_of(at))
		stats->levels++;
	stats->root = __atomic_load_n(&nodes[at.first].touched, __ATOMIC_RELAXED);
}
