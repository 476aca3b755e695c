/* SPDX-License-Identifier: MIT */
/*
 * The functions that demo.h offers to every part.  Owns no state.
 */
#include "demo.h"

#include <stdarg.h>
#include <stdio.h>

#define STACK_SIZE (512 * 1024)

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
