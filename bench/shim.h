/* SPDX-License-Identifier: MIT */
/*
 * What the C++ file calls: the timed loops and what is around them, all in C,
 * so that the measured code is what a C compiler makes of it.
 */
#ifndef BENCH_SHIM_H
#define BENCH_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/peer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one background reader repeats: a section, then time outside. */
struct load {
	unsigned int readers;
	uint64_t in_ns;
	uint64_t out_ns;
};

/* What went on in some time: updaters' calls and readers' sections. */
struct tally {
	uint64_t calls;
	uint64_t sections;
	uint64_t readers_ns; /* of CPU time, as readers_cpu_ns() */
	uint64_t ns;
};

/* The most readers that a load may have. */
#define READERS_MAX 2

/* The most updaters at once. */
#define UPDATERS_MAX 16

/* settings.c */

/* From now on, bench_scale() gives less; pin_here() and the like do nothing. */
void bench_be_quick(void);
void bench_unpin(void);

/* Of a fixed number of iterations, what is to be run: less in a quick run, at least 1. */
size_t bench_scale(size_t n);

/* Whether threads are pinned to CPUs. */
bool bench_pins(void);

/* shim.c */

/* How many CPUs this process may use, counted up to READERS_MAX + 1. */
unsigned int usable_cpus(void);

/* Pin the caller to the first of them, which the updaters and single readers use. */
void pin_here(void);

/* Pin the caller to the second of them, if there is one. */
void pin_beside(void);

/* The number of all of them, and pin the caller to one, counted in a circle. */
unsigned int all_cpus(void);
void pin_to_nth(unsigned int index);

/* Let the caller run on all of them but those that readers have to themselves. */
void pin_off_readers(void);

/*
 * Start @load's readers, on the CPUs after the first, and wait until each has
 * had a section.  Return: 0 or a positive errno, and then none is running.
 */
int readers_start(const struct peer *peer, const struct load *load);
void readers_stop(void);

/* Sections that the readers have ended since their start. */
uint64_t readers_sections(void);

/* CPU time that a reader has had on average; where none has its own CPU, the time itself. */
uint64_t readers_cpu_ns(void);

/* Wait for @n grace periods, one after the other, and put each one's time into @ns. */
void time_synchronize(const struct peer *peer, uint32_t *ns, unsigned int n);

uint64_t clock_ns(void);

/* How often threads of this process have gone to sleep. */
uint64_t voluntary_switches(void);

/* What the process has in memory; 0 where /proc does not tell it. */
int64_t resident_bytes(void);

/* How many turns of spin() take so long. */
unsigned long spins_in(uint64_t ns);

/* updaters.c */

/*
 * Start @n updaters, after the readers and off their CPUs.  Return: 0 or a
 * positive errno, and then none is running.
 */
int updaters_start(const struct peer *p, unsigned int n);
void updaters_stop(void);

/*
 * Have them wait for @n grace periods in all, each for one after the other.
 * Where the machine is shared, another program may have the readers' CPU for
 * some milliseconds; windows of time in which it had are left out of what is
 * returned, unless there is no other.
 */
struct tally updaters_run(uint64_t n);

/*
 * The times of the last run's calls, of the same windows: @nr of them, some of a
 * run with very many.  Valid until the next run.
 */
const uint32_t *updaters_times(size_t *nr);

/*
 * poll-loops.c: @n cookies; @n grace periods without readers, by polling; @n polls
 * for one that is over, or that cannot end.
 */
void poll_get_state(long n);
void poll_start_poll(long n);
void poll_over(long n);
void poll_held_up(long n);

/* percpu-loops.c */

/* Memory for one 16-byte pair of counters per CPU, or NULL with errno. */
void *scan_alloc(size_t stride, size_t cpus);
void scan_free(void *memory, size_t stride, size_t cpus);
uint64_t scan_sum(const void *memory, size_t stride, size_t cpus);

/* Add 1 to a counter @n times. */
int inc_prepare(void);
void inc_this_cpu(long n);
void inc_plain_this_cpu(long n);
void inc_atomic(long n);
void inc_plain(long n);
void inc_thread_local(long n);

/* machine.c: what a figure must be read with, as keys and values. */
void machine_describe(void (*add)(const char *key, const char *value));

#ifdef __cplusplus
}
#endif

#endif /* BENCH_SHIM_H */
