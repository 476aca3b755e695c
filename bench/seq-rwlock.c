/* SPDX-License-Identifier: MIT */
/*
 * Peer: a pthread rwlock around a plain copy.
 */
#include <pthread.h>

#define SEQ_GUARD       pthread_rwlock_t
#define SEQ_INIT(guard) pthread_rwlock_init(guard, NULL)

#define SEQ_READ(guard, copy, data)           \
	do {                                  \
		pthread_rwlock_rdlock(guard); \
		*(copy) = *(data);            \
		pthread_rwlock_unlock(guard); \
	} while (0)

#define SEQ_WRITE(guard, data, copy)          \
	do {                                  \
		pthread_rwlock_wrlock(guard); \
		*(data) = *(copy);            \
		pthread_rwlock_unlock(guard); \
	} while (0)

#include "bench/seq-loops.h"

const struct seq_peer seq_rwlock = {.name = "rwlock", SEQ_PEER};
