/* SPDX-License-Identifier: MIT */
/*
 * A hash table with one lock per bucket for updaters and none for readers.  What is
 * removed or replaced is freed by call_srcu(), so that updaters never wait; at the
 * end srcu_barrier() waits for what is still to be freed.
 */
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <srcu/list.h>

#define BUCKETS 64
#define KEYS    256
#define UPDATES 50000
#define THREADS 2

struct entry {
	struct srcu_list_head links;
	unsigned int key;
	unsigned int value; /* a multiple of KEYS, plus the key */
	struct srcu_head head;
};

struct bucket {
	struct srcu_list_head chain;
	pthread_mutex_t lock;
};

DEFINE_STATIC_SRCU(table_srcu);
static struct bucket table[BUCKETS];
static unsigned long made, freed;

static void free_entry(struct srcu_head *head)
{
	struct entry *e = (struct entry *)((char *)head - offsetof(struct entry, head));

	__atomic_store_n(&e->value, e->key + 1, __ATOMIC_RELAXED); /* a reader would notice */
	free(e);
	__atomic_fetch_add(&freed, 1, __ATOMIC_RELAXED);
}

/* In a section, or under the bucket's lock. */
static struct entry *find(unsigned int key)
{
	struct entry *e;

	list_for_each_entry_srcu (e, &table[key % BUCKETS].chain, links, true)
		if (e->key == key)
			return e;
	return NULL;
}

/* Put @fresh, or nothing, in the place of what @key has. */
static void replace(unsigned int key, struct entry *fresh)
{
	struct bucket *bucket = &table[key % BUCKETS];
	struct entry *old;

	pthread_mutex_lock(&bucket->lock);
	old = find(key);
	if (old && fresh)
		srcu_list_replace(&old->links, &fresh->links); /* each walk finds one of them */
	else if (old)
		srcu_list_del(&old->links);
	else if (fresh)
		srcu_list_add(&fresh->links, &bucket->chain);
	pthread_mutex_unlock(&bucket->lock);
	if (old && call_srcu(&table_srcu, &old->head, free_entry))
		abort();
}

static void insert(unsigned int key, unsigned int value)
{
	struct entry *e = malloc(sizeof(*e));

	if (!e)
		abort();
	e->key = key;
	e->value = value;
	__atomic_fetch_add(&made, 1, __ATOMIC_RELAXED);
	replace(key, e);
}

/* Keys below KEYS / 2 are only ever replaced: they must always be found. */
static void lookup(unsigned int key)
{
	int idx = srcu_read_lock(&table_srcu);
	struct entry *e = find(key);

	sched_yield(); /* a section may do so, and may sleep */
	if ((!e && key < KEYS / 2) || (e && e->value % KEYS != key)) {
		fprintf(stderr, "key %u: lost, or wrong\n", key);
		exit(1);
	}
	srcu_read_unlock(&table_srcu, idx);
}

static void *work(void *seed)
{
	unsigned int random = *(unsigned int *)seed;

	for (unsigned int i = 0; i < UPDATES; i++) {
		random = random * 1103515245 + 12345;
		unsigned int key = random >> 16 & (KEYS - 1);

		if (key < KEYS / 2 || i % 2)
			insert(key, i * KEYS + key);
		else
			replace(key, NULL);
		lookup(random >> 8 & (KEYS - 1));
	}
	return NULL;
}

int main(void)
{
	unsigned int seeds[THREADS] = {1, 2};
	pthread_t threads[THREADS];

	for (int i = 0; i < BUCKETS; i++) {
		INIT_SRCU_LIST_HEAD(&table[i].chain);
		pthread_mutex_init(&table[i].lock, NULL);
	}
	if (srcu_start_callbacks()) /* the domain is static: nobody has started them */
		fprintf(stderr, "no thread for callbacks: srcu_barrier() invokes them\n");
	for (unsigned int key = 0; key < KEYS / 2; key++)
		insert(key, key);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, &seeds[i]))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int key = 0; key < KEYS; key++)
		replace(key, NULL);
	if (srcu_barrier(&table_srcu))
		return 1;
	printf("hash-table: %lu entries made, %lu freed\n", made, freed);
	return made != freed || cleanup_srcu_struct(&table_srcu);
}
