/* SPDX-License-Identifier: MIT */
/*
 * Reports of misuse and stalls: one line each, to the handler that the program
 * chose or to stderr.  Nothing here allocates or takes a lock.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

static srcu_warn_fn *warn_handler;

srcu_warn_fn *srcu_set_warn_handler(srcu_warn_fn *handler)
{
	return __atomic_exchange_n(&warn_handler, handler, __ATOMIC_ACQ_REL);
}

/* Not when nobody reads it: grace periods of other domains may wait for this thread. */
static void to_stderr(const char *message)
{
	struct pollfd stderr_fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[320];
	int length = snprintf(line, sizeof(line), "libsrcu: %s\n", message);
	ssize_t written;

	if (length >= (int)sizeof(line))
		length = (int)sizeof(line) - 1;
	if (poll(&stderr_fd, 1, 0) != 1)
		return;
	written = write(STDERR_FILENO, line, (size_t)length);
	(void)written; /* a report that cannot be made cannot be reported either */
}

const char *srcu_describe_readers(const struct srcu_struct *ssp, char text[READERS_TEXT])
{
	long long readers = (long long)srcu_gp_readers(ssp);

	if (readers >= 0)
		snprintf(text, READERS_TEXT, "%lld reader(s) inside", readers);
	else
		snprintf(text, READERS_TEXT,
			"%lld more unlocks than locks: a section ended twice, or a lock was lost",
			-readers);
	return text;
}

static int domain_prefix(char *to, size_t size, const struct srcu_struct *ssp)
{
	if (!ssp)
		return 0;
	if (ssp->magic_ == SRCU_MAGIC_ && ssp->name_)
		return snprintf(to, size, "domain '%.64s': ", ssp->name_);
	return snprintf(to, size, "domain %p: ", (const void *)ssp);
}

void srcu_warn(const struct srcu_struct *ssp, const char *format, ...)
{
	srcu_warn_fn *handler = __atomic_load_n(&warn_handler, __ATOMIC_ACQUIRE);
	int saved_errno = errno, length, cancel_state;
	char message[300];
	va_list args;

	/* Neither write() nor the handler may be where a caller is cancelled. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	length = domain_prefix(message, sizeof(message), ssp);
	va_start(args, format);
	vsnprintf(message + length, sizeof(message) - (size_t)length, format, args);
	va_end(args);
	if (handler)
		handler(ssp, message);
	else
		to_stderr(message);
	pthread_setcancelstate(cancel_state, &cancel_state);
	errno = saved_errno;
}
