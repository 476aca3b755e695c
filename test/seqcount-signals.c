/* SPDX-License-Identifier: MIT */
/* What seqcount-signals.h declares. */
#include "test/seqcount-signals.h"

#include "test/seqcount-test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

unsigned int handled, torn;

void count(unsigned int *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

unsigned int value(const unsigned int *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void count_torn(const struct record *copy)
{
	int i;

	for (i = 1; i < WORDS; i++) {
		if (copy->word[i] != copy->word[0])
			count(&torn);
	}
}

/* Release, pairs with the sender's acquire: the other counts are in. */
void count_handled(void)
{
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELEASE);
}

void install_handler(void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

static void *send_signals(void *arg)
{
	const pthread_t *writer = arg;
	unsigned int sent;

	for (sent = 0; sent < SIGNALS; sent++) {
		pthread_kill(*writer, SIGUSR1);
		while (__atomic_load_n(&handled, __ATOMIC_ACQUIRE) == sent)
			sched_yield();
	}
	return NULL;
}

void storm(void (*write_record)(const struct record *r))
{
	pthread_t self = pthread_self();
	pthread_t sender;
	struct record r;
	sigset_t set;
	uint64_t v = 0;
	int i;

	ck_assert_int_eq(pthread_create(&sender, NULL, send_signals, &self), 0);
	while (value(&handled) < SIGNALS) {
		v++;
		for (i = 0; i < WORDS; i++)
			r.word[i] = v;
		write_record(&r);
		/* TSan delivers signals at calls of libc alone. */
		pthread_sigmask(SIG_BLOCK, NULL, &set);
	}
	ck_assert_int_eq(pthread_join(sender, NULL), 0);
}
