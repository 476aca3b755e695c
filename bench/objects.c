/* SPDX-License-Identifier: MIT */
/*
 * The object and the hash table that readers look at.  Written by one updater at
 * a time.  What it gives back is not freed but used again, as another object, so
 * that a reader which still has it sees that it is not live.
 */
#include "bench/objects.h"
#include "bench/peer.h"

struct object *object_now;
struct hash_entry *hash_table[HASH_KEYS];

static struct object objects[2];
static struct hash_entry entries[HASH_KEYS];

/* Release: who finds the entry by it sees what is in there. */
static void insert(struct hash_entry *entry)
{
	struct hash_entry **bucket = hash_bucket(entry->key);

	entry->next = *bucket;
	__atomic_store_n(&entry->state, OBJECT_LIVE, __ATOMIC_RELAXED);
	__atomic_store_n(bucket, entry, __ATOMIC_RELEASE);
}

void objects_prepare(void)
{
	if (object_now)
		return;
	for (uint32_t key = 0; key < HASH_KEYS; key++) {
		entries[key].key = key;
		insert(&entries[key]);
	}
	objects[0].state = OBJECT_LIVE;
	object_now = &objects[0];
}

static void retire(const void *peer)
{
	((const struct peer *)peer)->retire();
}

void object_replace(const void *peer)
{
	struct object *old = object_now, *object = old == objects ? &objects[1] : objects;

	__atomic_store_n(&object->state, OBJECT_LIVE, __ATOMIC_RELAXED);
	__atomic_store_n(&object_now, object, __ATOMIC_RELEASE);
	retire(peer);
	__atomic_store_n(&old->state, 0, __ATOMIC_RELAXED);
}

void hash_replace(const void *peer)
{
	static struct hash_entry *deleted;
	static uint32_t key;
	struct hash_entry *entry = &entries[key], **link = hash_bucket(key);

	/* Not before: until the next call it is seen not to be live. */
	if (deleted)
		insert(deleted);
	while (*link != entry)
		link = &(*link)->next;
	__atomic_store_n(link, entry->next, __ATOMIC_RELAXED);
	retire(peer);
	__atomic_store_n(&entry->state, 0, __ATOMIC_RELAXED);
	deleted = entry;
	key = (key + 1) % HASH_KEYS;
}
