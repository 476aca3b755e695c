/* SPDX-License-Identifier: MIT */
/*
 * Grace periods that scan many CPUs, which the library simulates if it is told to
 * before it is loaded: a child does so, this program itself run once more.
 */
#ifndef BENCH_SCAN_H
#define BENCH_SCAN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most CPUs that there may be. */
#define SCAN_CPUS_MAX 4096

/* What main() calls first: does not return in a child. */
void scan_main(int argc, char **argv);

/* One child at a time.  0 or a negative errno. */
int scan_start(unsigned int cpus);
void scan_stop(void);

/* Put the times of @n grace periods, that scan the CPUs and wait for nobody, into @ns. */
int scan_time(uint32_t *ns, uint32_t n);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_SCAN_H */
