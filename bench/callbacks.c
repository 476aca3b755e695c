/* SPDX-License-Identifier: MIT */
/*
 * The list of peers that have callbacks, and what is timed of them.  The program
 * walks the list; nothing else knows the adapters.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/callbacks.h"
#include "bench/reader.h"
#include "bench/shim.h"

const struct callback_peer *const callback_peers[] = {
	&callbacks_srcu,
#ifdef HAVE_LIBURCU
	&callbacks_urcu,
#endif
	NULL,
};

/*
 * Written once: what the first use of a page costs is not the queue's.  Not with
 * zeros, which a compiler may leave to calloc(), and that to the first use.
 */
void *callbacks_heads(size_t nr, size_t size)
{
	void *heads = malloc(nr * size);

	return heads ? memset(heads, 1, nr * size) : NULL;
}

int callbacks_time_enqueue(const struct callback_peer *peer, size_t nr, uint64_t *ns)
{
	uint64_t began;
	int error;

	peer->enter();
	began = now_ns();
	error = peer->enqueue(nr);
	*ns = now_ns() - began;
	peer->leave();
	peer->barrier();
	return error;
}

int callbacks_time_invoke(const struct callback_peer *peer, size_t nr, uint64_t *ns)
{
	uint64_t began = now_ns();
	int error = peer->enqueue(nr);

	peer->barrier();
	*ns = now_ns() - began;
	return error;
}

int callbacks_time_barrier(const struct callback_peer *peer, uint64_t *ns)
{
	uint64_t began = now_ns();

	peer->barrier();
	*ns = now_ns() - began;
	return 0;
}

int callbacks_time_flood(const struct callback_peer *peer, size_t nr, struct flood *flood)
{
	int64_t resident = resident_bytes();
	uint64_t began, queued, left;
	int error;

	peer->enter();
	began = now_ns();
	error = peer->enqueue(nr);
	queued = now_ns();
	flood->rss_bytes = resident_bytes() - resident;
	left = now_ns();
	peer->leave();
	peer->barrier();
	flood->drain_ns = now_ns() - left;
	flood->enqueue_ns = queued - began;
	return error;
}
