/* SPDX-License-Identifier: MIT */
/*
 * The loops of poll: what it costs to take a cookie, to ask whether its grace
 * period is over, and to have one by polling.
 */
#include "bench/shim.h"

DEFINE_STATIC_SRCU(domain);

void poll_get_state(long n)
{
	for (; n > 0; n--)
		get_state_synchronize_srcu(&domain);
}

void poll_start_poll(long n)
{
	for (; n > 0; n--)
		poll_state_synchronize_srcu(&domain, start_poll_synchronize_srcu(&domain));
}

void poll_over(long n)
{
	uint64_t cookie = get_state_synchronize_srcu(&domain);

	synchronize_srcu(&domain);
	for (; n > 0; n--)
		poll_state_synchronize_srcu(&domain, cookie);
}

/* The caller's own section holds the grace period up. */
void poll_held_up(long n)
{
	int idx = srcu_read_lock(&domain);
	uint64_t cookie = start_poll_synchronize_srcu(&domain);

	for (; n > 0; n--)
		poll_state_synchronize_srcu(&domain, cookie);
	srcu_read_unlock(&domain, idx);
}
