/* SPDX-License-Identifier: MIT */
/*
 * Peer: Concurrency Kit's epochs.  Each thread has a record, which it gives to all
 * calls; as its program would, a loop has it in a variable.
 */
#include <stdlib.h>

#include <ck_epoch.h>

#include "bench/peer.h"

static ck_epoch_t epoch;
static __thread ck_epoch_record_t *my_record;

#define PEER_SELF          ck_epoch_record_t *record = my_record;
#define PEER_TOKEN         int
#define PEER_LOCK()        (ck_epoch_begin(record, NULL), 0)
#define PEER_UNLOCK(token) ((void)(token), (void)ck_epoch_end(record, NULL))
#include "bench/peer-loops.h"

static int prepare(void)
{
	ck_epoch_init(&epoch);
	return 0;
}

/* Records cannot be freed; those of threads that have left are used again. */
static void enter(void)
{
	my_record = ck_epoch_recycle(&epoch, NULL);
	if (my_record)
		return;
	my_record = aligned_alloc(128, (sizeof(*my_record) + 127) / 128 * 128);
	if (!my_record)
		abort();
	ck_epoch_register(&epoch, my_record, NULL);
}

static void leave(void)
{
	ck_epoch_unregister(my_record);
}

static void synchronize(void)
{
	ck_epoch_synchronize(my_record);
}

const struct peer peer_ck_epoch = {
	.name = "ck_epoch",
	.prepare = prepare,
	.enter = enter,
	.leave = leave,
	.read_batch = read_batch,
	.read_loop = read_loop,
	.synchronize = synchronize,
	PEER_SWEEPS,
	.retire = synchronize,
	.churn = true,
};
