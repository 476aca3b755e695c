/* SPDX-License-Identifier: MIT */
/*
 * The list of peers that a thread sleeps beside.
 */
#include <stddef.h>

#include "bench/isolation.h"
#include "bench/sleeper.h"

#define SLEEP_NS 100000000u

const struct isolation_peer *const isolation_peers[] = {
	&isolation_srcu,
	&isolation_srcu_alone,
#ifdef HAVE_LIBURCU
	&isolation_urcu_memb,
#endif
	NULL,
};

const char *const isolation_names[ISOLATION_CALLS] = {
	[ISOLATION_SYNCHRONIZE] = "synchronize",
	[ISOLATION_CALL] = "call",
	[ISOLATION_BARRIER] = "barrier",
	[ISOLATION_POLL] = "poll",
};

int isolation_start(const struct isolation_peer *peer)
{
	const struct sleeper sleeper = {
		.ns = SLEEP_NS, .round = peer->round, .enter = peer->enter, .leave = peer->leave};
	int error = peer->begin();

	if (error)
		return error;
	error = sleeper_start(&sleeper);
	if (error)
		peer->end();
	return -error;
}

void isolation_stop(const struct isolation_peer *peer)
{
	sleeper_stop();
	peer->end();
}
