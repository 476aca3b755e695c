/* SPDX-License-Identifier: MIT */
/*
 * The library's reports, kept and taken apart.  A function that is defined AT(x) is
 * in a section of its own, so that the linker tells where it begins and ends, which
 * is what a reported call site is compared with.
 */
#ifndef TEST_MESSAGES_H
#define TEST_MESSAGES_H

#include "harness.h"

#define AT(site)                                                  \
	extern const char __start_##site[] __attribute__((weak)), \
		__stop_##site[] __attribute__((weak));            \
	__attribute__((noinline, used, section(#site)))

/* A call that ends a function would make its caller the call site. */
#define NO_TAIL_CALL() __asm__ __volatile__("")

void messages_keep(void);
unsigned int messages(void);
const char *message(unsigned int n);
void await_messages(unsigned int n);

bool names_site(const char *text, const char *before, const char *start, const char *stop);
bool names_thread(const char *text, const char *before, int thread);

/* Does @text go on, after @before, with a place in the function that is AT(site)? */
#define NAMES_SITE(text, before, site) names_site(text, before, __start_##site, __stop_##site)

int this_thread(void);

#endif /* TEST_MESSAGES_H */
