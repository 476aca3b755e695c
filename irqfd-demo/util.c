/* SPDX-License-Identifier: MIT */
/*
 * The functions that demo.h offers to every part: errors, clock, threads,
 * random numbers.  Owns no state.
 */
#include "demo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STACK_SIZE (512 * 1024)

void die(int error, const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("irqfd-demo: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

void *zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die(0, "no memory for %zu bytes", size);
	return p;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

pthread_t thread_spawn(void *(*body)(void *), void *argument, const char *format, ...)
{
	pthread_attr_t attr;
	pthread_t thread;
	char name[16];
	va_list ap;
	int error;

	va_start(ap, format);
	vsnprintf(name, sizeof(name), format, ap);
	va_end(ap);

	error = pthread_attr_init(&attr);
	if (!error)
		error = pthread_attr_setstacksize(&attr, STACK_SIZE);
	if (!error)
		error = pthread_create(&thread, &attr, body, argument);
	if (error)
		die(error, "cannot start thread %s", name);
	pthread_attr_destroy(&attr);
	pthread_setname_np(thread, name);
	return thread;
}

bool bit_set(uint64_t *bitmap, unsigned int n)
{
	uint64_t bit = (uint64_t)1 << (n % 64);

	return !(__atomic_fetch_or(&bitmap[n / 64], bit, __ATOMIC_ACQ_REL) & bit);
}

/* A counter through the finaliser of a 64-bit hash. */
uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t bound)
{
	return random_next(state) % bound;
}
