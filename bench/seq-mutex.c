/* SPDX-License-Identifier: MIT */
/*
 * Peer: a pthread mutex around a plain copy.
 */
#include <pthread.h>

#define SEQ_GUARD       pthread_mutex_t
#define SEQ_INIT(guard) pthread_mutex_init(guard, NULL)

#define SEQ_READ(guard, copy, data)          \
	do {                                 \
		pthread_mutex_lock(guard);   \
		*(copy) = *(data);           \
		pthread_mutex_unlock(guard); \
	} while (0)

#define SEQ_WRITE(guard, data, copy)         \
	do {                                 \
		pthread_mutex_lock(guard);   \
		*(data) = *(copy);           \
		pthread_mutex_unlock(guard); \
	} while (0)

#include "bench/seq-loops.h"

const struct seq_peer seq_mutex = {.name = "mutex", SEQ_PEER};
