/* SPDX-License-Identifier: MIT */
/* What messages.h declares. */
#include <errno.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "messages.h"

#define MOST 16

static char kept[MOST][1000];
static unsigned int begun, complete;

static void keep(const struct srcu_struct *ssp, const char *text)
{
	unsigned int n = __atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);

	(void)ssp;
	if (n < MOST)
		snprintf(kept[n], sizeof(kept[n]), "%s", text);
	__atomic_fetch_add(&complete, 1, __ATOMIC_RELEASE);
}

void messages_keep(void)
{
	srcu_set_warn_handler(keep);
	begun = 0;
	complete = 0;
}

unsigned int messages(void)
{
	return __atomic_load_n(&complete, __ATOMIC_ACQUIRE);
}

const char *message(unsigned int n)
{
	ck_assert_uint_lt(n, messages());
	return kept[n];
}

void await_messages(unsigned int n)
{
	while (messages() < n)
		sched_yield();
}

static int take_base(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	*(uintptr_t *)base = info->dlpi_addr;
	return 1; /* the program comes first */
}

/* What follows @before and then the name of the program, as a number; 0: nothing does. */
static uintptr_t offset_after(const char *text, const char *before)
{
	const char *name = program_invocation_short_name;
	const char *at = strstr(text, before);

	if (!at || strncmp(at + strlen(before), name, strlen(name)))
		return 0;
	at += strlen(before) + strlen(name);
	return *at == '+' ? strtoul(at + 1, NULL, 16) : 0;
}

bool names_site(const char *text, const char *before, const char *start, const char *stop)
{
	uintptr_t base, offset = offset_after(text, before), site;

	dl_iterate_phdr(take_base, &base);
	site = base + offset;
	return offset && site >= (uintptr_t)start && site < (uintptr_t)stop;
}

bool names_thread(const char *text, const char *before, int thread)
{
	const char *at = strstr(text, before);

	return at && atoi(at + strlen(before)) == thread;
}

int this_thread(void)
{
	return (int)syscall(SYS_gettid);
}
