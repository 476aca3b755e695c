/* SPDX-License-Identifier: MIT */
/*
 * The time between a run's beginning and its end, spent on showing what happens.
 */
#ifndef WATCH_H
#define WATCH_H

#include "device.h"
#include "lapic.h"

#include <signal.h>

/*
 * Return after the run's duration, or when one of the signals @ends comes, which are
 * blocked.  Returns for how many seconds that was.
 */
double watch(const struct run_options *options, const struct lapic *lapics,
	const struct mailbox *peers, const sigset_t *ends);

#endif /* WATCH_H */
