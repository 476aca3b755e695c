/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of reading in a signal handler that may have interrupted the
 * writer: raw_seqcount_try_begin() says no instead of waiting for ever, and
 * what it lets through is whole.
 */
#include "test/seqcount-test.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include <seqcount/seqcount.h>

#define WORDS   4
#define TRIES   3
#define SIGNALS 1000u

struct record {
	uint64_t word[WORDS];
};

/* The shared data; all words are equal between writes. */
static seqcount_t seq = SEQCNT_ZERO(seq);
static struct record shared;

/* What handlers have met: written by handlers, read by anyone. */
static unsigned int handled;
static unsigned int refused;
static unsigned int kept;
static unsigned int torn;

static void count(unsigned int *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static unsigned int value(const unsigned int *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static bool read_bounded(struct record *copy)
{
	unsigned int start;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (!raw_seqcount_try_begin(&seq, start))
			continue;
		seqcount_load(copy, &shared, sizeof(*copy));
		if (!read_seqcount_retry(&seq, start))
			return true;
	}
	return false;
}

static void handler(int sig)
{
	struct record copy;
	int i;

	(void)sig;
	if (!read_bounded(&copy)) {
		count(&refused);
	} else {
		for (i = 1; i < WORDS; i++) {
			if (copy.word[i] != copy.word[0])
				count(&torn);
		}
		count(&kept);
	}
	/* Release, pairs with the sender's acquire: the counts above are in. */
	__atomic_fetch_add(&handled, 1, __ATOMIC_RELEASE);
}

static void install_handler(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

/* A signal after every word: the handler finds the record in every state. */
static void write_with_signals(uint64_t v)
{
	int i;

	write_seqcount_begin(&seq);
	raise(SIGUSR1);
	for (i = 0; i < WORDS; i++) {
		seqcount_store(&shared.word[i], &v, sizeof(v));
		raise(SIGUSR1);
	}
	write_seqcount_end(&seq);
}

START_TEST(handler_inside_the_write_is_refused)
{
	uint64_t v;

	install_handler();
	for (v = 1; v <= 100; v++) {
		write_with_signals(v);
		ck_assert_uint_eq(value(&refused), v * (WORDS + 1));
		ck_assert_uint_eq(value(&kept), v - 1);
		raise(SIGUSR1);
		ck_assert_uint_eq(value(&kept), v);
	}
	ck_assert_uint_eq(value(&torn), 0);
}
END_TEST

/* The same without the counter: the handler must notice that records are torn. */
START_TEST(unannounced_write_is_caught)
{
	const uint64_t v = 1;

	install_handler();
	seqcount_store(&shared.word[0], &v, sizeof(v));
	raise(SIGUSR1);
	ck_assert_uint_eq(value(&kept), 1);
	ck_assert_uint_ne(value(&torn), 0);
}
END_TEST

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

START_TEST(storm_of_signals_on_the_writer)
{
	pthread_t self = pthread_self();
	pthread_t sender;
	struct record r;
	sigset_t set;
	uint64_t v = 0;
	int i;

	install_handler();
	ck_assert_int_eq(pthread_create(&sender, NULL, send_signals, &self), 0);
	while (value(&handled) < SIGNALS) {
		v++;
		for (i = 0; i < WORDS; i++)
			r.word[i] = v;
		write_seqcount_begin(&seq);
		seqcount_store(&shared, &r, sizeof(r));
		write_seqcount_end(&seq);
		/* TSan delivers signals at calls of libc alone. */
		pthread_sigmask(SIG_BLOCK, NULL, &set);
	}
	ck_assert_int_eq(pthread_join(sender, NULL), 0);
	ck_assert_uint_eq(value(&kept) + value(&refused), SIGNALS);
	ck_assert_uint_ne(value(&kept), 0);
	ck_assert_uint_eq(value(&torn), 0);
}
END_TEST

TCase *seqcount_handler_case(void)
{
	TCase *tc = tcase_create("handler");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, handler_inside_the_write_is_refused);
	tcase_add_test(tc, unannounced_write_is_caught);
	tcase_add_test(tc, storm_of_signals_on_the_writer);
	return tc;
}
