/* SPDX-License-Identifier: MIT */
/*
 * What fault-shim.h declares.  The program's definitions come before the C library's,
 * for the library too, whose constructors call them before main().
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "fault-shim.h"
#include "harness.h"
#include "syscalls.h"

/* How many calls of the first kind a "burst" lasts. */
#define BURST 40

static const char *const names[FAULT_CALLS] = {
	[FAULT_MEMBARRIER] = "membarrier",
	[FAULT_FUTEX_WAIT] = "futex_wait",
	[FAULT_FUTEX_WAKE] = "futex_wake",
	[FAULT_GETAFFINITY] = "getaffinity",
	[FAULT_SETAFFINITY] = "setaffinity",
	[FAULT_MMAP] = "mmap",
	[FAULT_MPROTECT] = "mprotect",
	[FAULT_MADVISE] = "madvise",
	[FAULT_THREADS] = "threads",
	[FAULT_CLOCK] = "clock",
	[FAULT_GETCPU] = "getcpu",
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{"ENOSYS", ENOSYS},
	{"EPERM", EPERM},
	{"ENOMEM", ENOMEM},
	{"EAGAIN", EAGAIN},
	{"EINTR", EINTR},
};

static unsigned int concerned = 1u << FAULT_CALLS; /* not parsed yet */
static char when;                                  /* its first letter */
static int error;
static int begun;
static unsigned int calls[FAULT_CALLS], failed[FAULT_CALLS];

int fault_error_named(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (!strncmp(name, errors[i].name, strlen(errors[i].name)))
			return errors[i].number;
	return 0;
}

/* Is @name one of the words of the list, which ends at the colon? */
static bool lists(const char *list, const char *name)
{
	size_t length;

	for (; *list && *list != ':'; list += length + (list[length] == '+')) {
		length = strcspn(list, "+:");
		if (strlen(name) == length && !strncmp(list, name, length))
			return true;
	}
	return false;
}

static unsigned int parse(void)
{
	const char *list = getenv(FAULT), *rest = list ? strchr(list, ':') : NULL;
	unsigned int mask = 0;

	if (!rest)
		return 0;
	for (int i = 0; i < FAULT_CALLS; i++)
		if (lists(list, names[i]))
			mask |= 1u << i;
	error = fault_error_named(rest + 1);
	when = strchr(rest + 1, ':')[1];
	begun = when == 's' || when == 'o'; /* the others from the middle on */
	return mask;
}

bool fault_concerns(enum fault_call call)
{
	if (concerned >> FAULT_CALLS)
		concerned = parse();
	return concerned >> call & 1;
}

int fault_error(void)
{
	return error;
}

unsigned int fault_count(enum fault_call call)
{
	return __atomic_load_n(&failed[call], __ATOMIC_RELAXED);
}

const char *fault_name(enum fault_call call)
{
	return names[call];
}

void fault_begin(void)
{
	set_flag(&begun);
}

static bool burst_is_over(void)
{
	return __atomic_load_n(&calls[__builtin_ctz(concerned)], __ATOMIC_RELAXED) > BURST;
}

/* Is this call to fail?  Then errno says so. */
static bool fails(enum fault_call call)
{
	unsigned int number;

	if (!fault_concerns(call) || !flag_set(&begun))
		return false;
	number = __atomic_fetch_add(&calls[call], 1, __ATOMIC_RELAXED);
	if (((when == 'o' || when == 'e') && number % 2 == 0) || (when == 'b' && burst_is_over()))
		return false;
	__atomic_fetch_add(&failed[call], 1, __ATOMIC_RELAXED);
	errno = error;
	return true;
}

/* The definition that comes after this one's, as *@function. */
static void find_next(void **function, const char *name)
{
	if (!__atomic_load_n(function, __ATOMIC_RELAXED))
		__atomic_store_n(function, dlsym(RTLD_NEXT, name), __ATOMIC_RELAXED);
}

#define NEXT(next, name) find_next((void **)&(next), name)

static bool syscall_fails(long number, long operation)
{
	switch (number) {
	case SYS_membarrier:
		return fails(FAULT_MEMBARRIER);
	case SYS_sched_getaffinity:
		return fails(FAULT_GETAFFINITY);
	case SYS_sched_setaffinity:
		return fails(FAULT_SETAFFINITY);
	case SYS_futex:
		return fails(operation == FUTEX_WAKE_PRIVATE ? FAULT_FUTEX_WAKE : FAULT_FUTEX_WAIT);
	default:
		return false;
	}
}

long on_syscall(long number, const long a[6])
{
	return syscall_fails(number, a[1]) ? -1 : real_syscall(number, a);
}

int clock_gettime(clockid_t id, struct timespec *time)
{
	static int (*next)(clockid_t, struct timespec *);

	NEXT(next, "clock_gettime");
	/* What a caller makes of it that does not look. */
	memset(time, 0xa5, sizeof(*time));
	return fails(FAULT_CLOCK) ? -1 : next(id, time);
}

int sched_getcpu(void)
{
	static int (*next)(void);

	NEXT(next, "sched_getcpu");
	return fails(FAULT_GETCPU) ? -1 : next();
}

/* A sanitizer's, where it is linked into the program and we have replaced it. */
extern int __interceptor_pthread_create(
	pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) __attribute__((weak));

/* The library's threads are known by their attributes. */
int pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*function)(void *), void *arg)
{
	int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		__interceptor_pthread_create;

	NEXT(next, "pthread_create");
	return attr && fails(FAULT_THREADS) ? error : next(thread, attr, function, arg);
}

/* Sanitizers have their own to do with memory. */
#if !SANITIZED
void *mmap(void *at, size_t length, int access, int flags, int file, off_t offset)
{
	static void *(*next)(void *, size_t, int, int, int, off_t);

	NEXT(next, "mmap");
	return fails(FAULT_MMAP) ? MAP_FAILED : next(at, length, access, flags, file, offset);
}

int mprotect(void *at, size_t length, int access)
{
	static int (*next)(void *, size_t, int);

	NEXT(next, "mprotect");
	return fails(FAULT_MPROTECT) ? -1 : next(at, length, access);
}

int madvise(void *at, size_t length, int advice)
{
	static int (*next)(void *, size_t, int);

	NEXT(next, "madvise");
	return fails(FAULT_MADVISE) ? -1 : next(at, length, advice);
}
#endif
