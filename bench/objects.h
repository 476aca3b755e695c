/* SPDX-License-Identifier: MIT */
/*
 * What readers look at while an updater replaces it: one object, and a hash table
 * of which entries are deleted and inserted again.  Included by the adapters'
 * loops, where the look-ups are inlined; owned by objects.c.
 */
#ifndef BENCH_OBJECTS_H
#define BENCH_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OBJECT_LIVE 0x6c697665u

/* What has been freed is no longer live, and stays readable. */
struct object {
	uint32_t state;
};

extern struct object *object_now;

/* In a section. */
static inline bool object_is_live(void)
{
	const struct object *object = __atomic_load_n(&object_now, __ATOMIC_CONSUME);

	return __atomic_load_n(&object->state, __ATOMIC_RELAXED) == OBJECT_LIVE;
}

#define HASH_KEYS 8192

struct hash_entry {
	struct hash_entry *next;
	uint32_t key;
	uint32_t state; /* as an object's */
};

extern struct hash_entry *hash_table[HASH_KEYS];

/* Neighbouring keys do not share a line. */
static inline struct hash_entry **hash_bucket(uint32_t key)
{
	return &hash_table[key * 2654435761u >> 19];
}

static inline uint32_t hash_next_key(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 19;
}

/* In a section.  Returns false when what was found is not live; not to be found is fine. */
static inline bool hash_lookup(uint32_t key)
{
	const struct hash_entry *entry = __atomic_load_n(hash_bucket(key), __ATOMIC_CONSUME);

	while (entry && entry->key != key)
		entry = __atomic_load_n(&entry->next, __ATOMIC_CONSUME);
	return !entry || __atomic_load_n(&entry->state, __ATOMIC_RELAXED) == OBJECT_LIVE;
}

/* Make the object and the table; once more: nothing. */
void objects_prepare(void);

/*
 * These are for a thread that does them at a pace; @peer is a struct peer.
 */

/* Replace the object, wait until no reader of @peer's has the old one, and give that back. */
void object_replace(const void *peer);

/*
 * Delete the next entry, and wait until no reader of @peer's has it; insert again the
 * one before.
 */
void hash_replace(const void *peer);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_OBJECTS_H */
