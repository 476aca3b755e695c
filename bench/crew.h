/* SPDX-License-Identifier: MIT */
/*
 * Threads that read at the same time, and threads that come for one section.  Called
 * from the program's main thread only.
 */
#ifndef BENCH_CREW_H
#define BENCH_CREW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct peer;

#define CREW_MAX 64

struct crew_time {
	uint64_t ns;     /* from the start of all until the end of the last */
	uint64_t cpu_ns; /* of all together */
};

/*
 * Have @threads threads run @n empty sections of @peer's in all, each on a CPU of its
 * own as long as there are so many.  0 or a positive errno.
 */
int crew_read(const struct peer *peer, unsigned int threads, uint64_t n, struct crew_time *time);

/* The time of a thread that has one section, with its creation and end; as crew_read(). */
int crew_churn(const struct peer *peer, uint64_t *ns);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_CREW_H */
