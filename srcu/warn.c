/* SPDX-License-Identifier: MIT */
/*
 * Reports of misuse and stalls: one line each, to the handler that the program
 * chose or to stderr.  Nothing here allocates or takes a lock.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "debug.h"

/*
 * How many handlers a thread may be in at a time: one that is interrupted by a signal
 * is in two.  What is deeper is a handler whose reports call it again for ever.
 */
#define NESTED_HANDLERS 4

/* For the domain's name, the counts and the readers of a grace period that is held up. */
#define MESSAGE_TEXT 1000

static srcu_warn_fn *warn_handler;

srcu_warn_fn *srcu_set_warn_handler(srcu_warn_fn *handler)
{
	return __atomic_exchange_n(&warn_handler, handler, __ATOMIC_ACQ_REL);
}

/* Not when nobody reads it: grace periods of other domains may wait for this thread. */
static void to_stderr(const char *message)
{
	struct pollfd stderr_fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[MESSAGE_TEXT + 16];
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
	if (srcu_debugged(ssp))
		srcu_debug_holders(ssp, text, READERS_TEXT);
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

int srcu_this_thread(void)
{
	return (int)syscall(SYS_gettid);
}

/*
 * Object and offset, as addr2line takes them.  By _dl_find_object(), which unlike
 * dladdr() may be called in a signal handler.
 */
const char *srcu_describe_site(const void *site, char text[SITE_TEXT])
{
#ifdef HAVE__DL_FIND_OBJECT
	struct dl_find_object found;

	if (!_dl_find_object((void *)(uintptr_t)site, &found)) {
		const char *path = found.dlfo_link_map->l_name;
		const char *slash = strrchr(path, '/');
		uintptr_t offset = (uintptr_t)site - found.dlfo_link_map->l_addr;

		if (!*path)
			path = program_invocation_short_name;
		else if (slash)
			path = slash + 1;
		/* The call is before the address it returns to. */
		snprintf(text, SITE_TEXT, "%.40s+%#lx", path, (unsigned long)offset - 1);
		return text;
	}
#endif
	snprintf(text, SITE_TEXT, "%p", site);
	return text;
}

static void report(
	const struct srcu_struct *ssp, const void *site, const char *format, va_list args)
{
	static __thread unsigned int nested __attribute__((tls_model("initial-exec")));
	srcu_warn_fn *handler = __atomic_load_n(&warn_handler, __ATOMIC_ACQUIRE);
	int saved_errno = errno, cancel_state;
	char message[MESSAGE_TEXT], text[SITE_TEXT];
	size_t length;

	/* Neither write() nor the handler may be where a caller is cancelled. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	length = (size_t)domain_prefix(message, sizeof(message), ssp);
	vsnprintf(message + length, sizeof(message) - length, format, args);
	length = strlen(message);
	if (site)
		snprintf(message + length, sizeof(message) - length, " (thread %d, at %s)",
			srcu_this_thread(), srcu_describe_site(site, text));
	if (handler && nested < NESTED_HANDLERS) {
		nested++;
		handler(ssp, message);
		nested--;
	} else {
		to_stderr(message);
	}
	pthread_setcancelstate(cancel_state, &cancel_state);
	errno = saved_errno;
}

void srcu_warn(const struct srcu_struct *ssp, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(ssp, NULL, format, args);
	va_end(args);
}

void srcu_warn_at(const struct srcu_struct *ssp, const void *site, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(ssp, site, format, args);
	va_end(args);
}
