/* SPDX-License-Identifier: MIT */
/*
 * A program of liburcu's kind: a list that registered threads walk, and call_rcu().
 * What changes for libsrcu is one #include; with -DLIBURCU this is the program as
 * it was.  The list stays liburcu's, which is header only and knows no flavor.
 */
#define _LGPL_SOURCE
#include <urcu/rculist.h>
#ifdef LIBURCU
#include <urcu.h>
#else
#include <srcu/urcu-compat.h>
#endif

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define NODES   16
#define UPDATES 20000
#define READERS 2
#define WALKS   50
#define BACKLOG 1000

struct node {
	struct cds_list_head links;
	unsigned int id, check; /* check is ~id, until the node is freed */
	struct rcu_head rcu_head;
};

static CDS_LIST_HEAD(nodes);
static unsigned long walks, freed;
static int stop;

static void free_node(struct rcu_head *head)
{
	struct node *node = caa_container_of(head, struct node, rcu_head);

	__atomic_store_n(&node->check, 0, __ATOMIC_RELAXED); /* a walk would notice */
	free(node);
	freed++;
}

static struct node *new_node(unsigned int id)
{
	struct node *node = malloc(sizeof(*node));

	if (!node)
		abort();
	node->id = id;
	node->check = ~id;
	return node;
}

/* Sections nest: a function may have its own without knowing of its caller's. */
static unsigned int count_nodes(void)
{
	unsigned int n = 0;
	struct node *node;

	rcu_read_lock();
	cds_list_for_each_entry_rcu (node, &nodes, links) {
		unsigned int id = node->id;

		sched_yield();
		n += node->check == ~id;
	}
	rcu_read_unlock();
	return n;
}

static void *reader(void *arg)
{
	rcu_register_thread();
	do {
		rcu_read_lock();
		if (count_nodes() != NODES || !rcu_read_ongoing()) {
			fprintf(stderr, "a walk found a freed node, or lost one\n");
			exit(1);
		}
		rcu_read_unlock();
		__atomic_fetch_add(&walks, 1, __ATOMIC_RELAXED);
	} while (!__atomic_load_n(&stop, __ATOMIC_RELAXED));
	rcu_unregister_thread();
	return arg;
}

int main(void)
{
	pthread_t threads[READERS];
	unsigned int id = 0;
	struct node *old;

	rcu_register_thread();
	for (; id < NODES; id++)
		cds_list_add_rcu(&new_node(id)->links, &nodes);
	for (int i = 0; i < READERS; i++)
		if (pthread_create(&threads[i], NULL, reader, NULL))
			return 1;
	for (; id < UPDATES || __atomic_load_n(&walks, __ATOMIC_RELAXED) < WALKS; id++) {
		old = cds_list_entry(nodes.prev, struct node, links);
		cds_list_replace_rcu(&old->links, &new_node(id)->links);
		call_rcu(&old->rcu_head, free_node);
		if (id % BACKLOG == 0)
			rcu_barrier(); /* else slow readers could have it fill the memory */
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	rcu_barrier();
	printf("urcu-list: %lu walks, %lu nodes freed\n", walks, freed);
	rcu_unregister_thread();
	return freed != id - NODES;
}
