/* SPDX-License-Identifier: MIT */
/*
 * Two domains whose counters share cache lines: readers of the one while the
 * counters of the other are scanned on another CPU.  One scan at a time; called
 * from the program's main thread only.
 */
#ifndef BENCH_LINE_H
#define BENCH_LINE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum line_scan {
	LINE_NO_SCAN,
	LINE_OTHER, /* of a domain whose counters are on other lines than the readers' */
	LINE_SAME,  /* of one whose counters are on the same */
	LINE_SCANS,
};

extern const char *const line_names[LINE_SCANS];

/*
 * Have the second CPU wait for one grace period after the other, of a domain of
 * fenced readers, so that they are scans and nothing else.  0 or a negative errno.
 */
int line_start(enum line_scan scan);
void line_stop(enum line_scan scan);

/* Those grace periods so far. */
uint64_t line_scans(void);

/* @n empty sections. */
void line_read(long n);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_LINE_H */
