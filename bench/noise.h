/* SPDX-License-Identifier: MIT */
/*
 * Whether the machine was quiet enough for the figures to mean something: a loop
 * of fixed work, timed before every repetition, and what the kernel says of other
 * programs.
 */
#ifndef BENCH_NOISE_H
#define BENCH_NOISE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Shares are parts of 1; those that the kernel does not tell are 0. */
struct noise {
	size_t probes;
	double low_ns; /* quartiles and median of the loop's time */
	double median_ns;
	double high_ns;
	double cpu_share; /* of that time, the part in which the program had its CPU */
	double steal;     /* of all CPUs' time, the part that a hypervisor took */
	double others;    /* of all CPUs' time, the part that other programs used */
	double load;      /* the number of runnable threads when the program began */
};

/* Before the first probe. */
void noise_begin(void);

/* Time the loop once, in about a tenth of a millisecond. */
void noise_probe(void);

/* Of all probes; false when there were none. */
bool noise_end(struct noise *n);

/*
 * Put into @text what in @n is too much for conclusions.  Return: false, and no
 * text, when nothing is.
 */
bool noise_warning(const struct noise *n, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* BENCH_NOISE_H */
