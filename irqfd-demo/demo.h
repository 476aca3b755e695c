/* SPDX-License-Identifier: MIT */
/*
 * What every part of irqfd-demo may use: limits, threads, and what it shares with
 * other programs.  Owns no state.
 */
#ifndef DEMO_H
#define DEMO_H

#include "program/program.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_CPUS    64
#define MAX_DEVICES 256
#define NR_PEERS    2 /* other processes */
#define NR_LEVELS   2 /* level-triggered devices */
#define NR_OTHERS   (NR_PEERS + NR_LEVELS)
#define MAX_SOURCES (MAX_DEVICES + NR_OTHERS)
#define MAX_ROUTES  4096

#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

/* How an event reaches its irqfd. */
enum path {
	PATH_DIRECT,  /* hub_signal() on the device's own thread */
	PATH_EVENTFD, /* a write to the eventfd, seen by the reactor thread */
	PATH_SIGNAL,  /* hub_signal() in a CPU's interrupt handler */
	PATH_LEVEL,   /* hub_signal() by a device that holds its line up until it is served */
	NR_PATHS,
};

/* The arguments of `irqfd-demo run'. */
struct run_options {
	double duration; /* seconds */
	unsigned int cpus;
	unsigned int devices;
	unsigned int routes;
	uint64_t seed;
	const char *json;      /* a file's name, "-" for standard output, or NULL */
	const char *plot;      /* a file's name, or NULL */
	bool route_by_pointer; /* not by copy */
	bool domain_per_irqfd; /* not per machine */
};

/* The commands; each returns the program's exit status. */
int run_main(const struct run_options *options);
int leak_main(unsigned int count);
int routing_storm_main(double seconds);

/* Commands that read their own command line. */
int play_command(int argc, char **argv);
int compare_command(int argc, char **argv);
int fuzz_command(int argc, char **argv);

/* pthread_create() with a small stack and a name; dies when there is no thread to be had. */
pthread_t thread_spawn(void *(*body)(void *), void *argument, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Set bit @n of @bitmap, which others set and take, too.  Returns false when it was
 * set.  Acquires and releases: who takes it sees what came before.  Any context.
 */
bool bit_set(uint64_t *bitmap, unsigned int n);

#endif /* DEMO_H */
