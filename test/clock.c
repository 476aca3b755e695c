/* SPDX-License-Identifier: MIT */
/* What clock.h declares. */
#include <dlfcn.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "clock.h"
#include "syscalls.h"

uint64_t now_ns;
void (*before_nap)(const uint32_t *word, uint64_t ns);
const uint32_t *last_woken;

int clock_gettime(clockid_t id, struct timespec *time)
{
	static int (*next)(clockid_t, struct timespec *);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
	if (!now_ns)
		return next(id, time);
	now_ns += US;
	time->tv_sec = (time_t)(now_ns / S);
	time->tv_nsec = (long)(now_ns % S);
	return 0;
}

/* Who sleeps for ever is woken after an hour. */
static long nap(const uint32_t *word, const long *timeout)
{
	uint64_t ns = (uint64_t)timeout[0] * S + (uint64_t)timeout[1];

	if (ns > 3600 * S)
		ns = 3600 * S;
	before_nap(word, ns);
	now_ns += ns;
	return 0;
}

long on_syscall(long number, const long a[6])
{
	if (now_ns && number == SYS_futex && a[1] == FUTEX_WAIT_PRIVATE)
		return nap((const uint32_t *)a[0], (const long *)a[3]);
	if (number == SYS_futex && a[1] == FUTEX_WAKE_PRIVATE)
		__atomic_store_n(&last_woken, (const uint32_t *)a[0], __ATOMIC_RELAXED);
	return real_syscall(number, a);
}
