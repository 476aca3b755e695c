/* SPDX-License-Identifier: MIT */
/*
 * The loops of poll: what it costs to take a cookie, and to have a grace period
 * by polling, in a domain without readers.
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
