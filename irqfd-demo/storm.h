/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo routing-storm: how long it takes to replace a machine's routes, by
 * how their readers are waited for.
 */
#ifndef STORM_H
#define STORM_H

#include <srcu/srcu.h>

/* A way to read and to wait; the calls may be NULL. */
struct storm_way {
	const char *name;
	/* Around all that a thread reads. */
	void (*enter)(void);
	void (*leave)(void);
	/* Around one delivery. */
	void (*lock)(void);
	void (*unlock)(void);
	/* Around the sleep of a reader that has nothing to do with the routes. */
	void (*lock_other)(void);
	void (*unlock_other)(void);
	/* Wait for readers of the routes. */
	void (*wait)(struct srcu_struct *ssp);
};

extern const struct storm_way storm_urcu;

#endif /* STORM_H */
