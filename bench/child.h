/* SPDX-License-Identifier: MIT */
/*
 * What is measured of a process that does nothing else: a child, this program
 * itself run once more, measures itself and answers with numbers.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include "bench/callbacks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What main() calls first: does not return in a child. */
void child_main(int argc, char **argv);

/* These return 0 or a negative errno. */

struct idle {
	double wakeups; /* per second, of the library's threads */
	double cpu_ns;  /* that they used, per second */
};

/*
 * Threads that have invoked many callbacks, and have had @rate of them per second
 * for a while.
 */
int child_idle(const struct callback_peer *peer, unsigned int rate, struct idle *idle);

/* Memory that domains hold which have had a reader and a grace period, the structs included. */
int child_memory(double *bytes_per_domain);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_CHILD_H */
