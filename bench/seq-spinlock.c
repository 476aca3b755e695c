/* SPDX-License-Identifier: MIT */
/*
 * Peer: a pthread spinlock around a plain copy.
 */
#include <pthread.h>

#define SEQ_GUARD       pthread_spinlock_t
#define SEQ_INIT(guard) pthread_spin_init(guard, PTHREAD_PROCESS_PRIVATE)

#define SEQ_READ(guard, copy, data)         \
	do {                                \
		pthread_spin_lock(guard);   \
		*(copy) = *(data);          \
		pthread_spin_unlock(guard); \
	} while (0)

#define SEQ_WRITE(guard, data, copy)        \
	do {                                \
		pthread_spin_lock(guard);   \
		*(data) = *(copy);          \
		pthread_spin_unlock(guard); \
	} while (0)

#include "bench/seq-loops.h"

const struct seq_peer seq_spinlock = {.name = "spinlock", SEQ_PEER};
