/* SPDX-License-Identifier: MIT */
/* What syscalls.h declares. */
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "syscalls.h"

long real_syscall(long number, const long a[6])
{
	static long (*next)(long, ...);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long syscall(long number, ...)
{
	const int given = number == SYS_futex ? 6 : 3; /* by all callers in the library */
	long a[6] = {0};
	va_list args;

	va_start(args, number);
	for (int i = 0; i < given; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	return on_syscall(number, a);
}
