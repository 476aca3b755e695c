/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of <seqcount/seqlock.h>: which pass holds the lock, what the others find
 * meanwhile, how a scope may be left, and which signals are blocked.
 */
#include "test/seqcount-test.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include <seqcount/seqlock.h>

static DEFINE_SEQLOCK(lock);
static uint64_t data;

static bool locked(void)
{
	int error = pthread_mutex_trylock(&lock.lock_);

	if (error == 0)
		pthread_mutex_unlock(&lock.lock_);
	return error == EBUSY;
}

static void write_data(uint64_t v)
{
	write_seqlock(&lock);
	seqcount_set(data, v);
	write_sequnlock(&lock);
}

START_TEST(initialisers_agree)
{
	seqlock_t other;

	memset(&other, 0xff, sizeof(other));
	seqlock_init(&other);
	ck_assert_uint_eq(read_seqbegin(&other), 0);
	ck_assert_uint_eq(read_seqbegin(&lock), 0);
	write_seqlock(&other);
	ck_assert_int_eq(pthread_mutex_trylock(&other.lock_), EBUSY);
	write_sequnlock(&other);
	ck_assert_uint_eq(read_seqbegin(&other), 2);
	ck_assert_int_eq(pthread_mutex_trylock(&other.lock_), 0);
}
END_TEST

START_TEST(write_makes_retry_and_excludes)
{
	unsigned int start = read_seqbegin(&lock);

	ck_assert(!read_seqretry(&lock, start));
	write_seqlock(&lock);
	ck_assert(locked());
	ck_assert(read_seqretry(&lock, start));
	write_sequnlock(&lock);
	ck_assert(!locked());
	ck_assert(read_seqretry(&lock, start));
	ck_assert(!read_seqretry(&lock, read_seqbegin(&lock)));
}
END_TEST

START_TEST(excluding_reader_disturbs_no_other)
{
	unsigned int start = read_seqbegin(&lock);

	read_seqlock_excl(&lock);
	ck_assert(locked());
	ck_assert_uint_eq(read_seqbegin(&lock), start);
	read_sequnlock_excl(&lock);
	ck_assert(!locked());
	ck_assert(!read_seqretry(&lock, start));
}
END_TEST

START_TEST(second_pass_locks_when_asked_to)
{
	int seq = 0;

	read_seqbegin_or_lock(&lock, &seq);
	ck_assert(!locked());
	ck_assert(!need_seqretry(&lock, seq));
	write_data(1);
	ck_assert(need_seqretry(&lock, seq));

	/* Forgotten: another pass without the lock. */
	read_seqbegin_or_lock(&lock, &seq);
	ck_assert(!locked());
	ck_assert_int_eq(seq, 2);
	ck_assert(!need_seqretry(&lock, seq));
	done_seqretry(&lock, seq);

	seq = 1;
	read_seqbegin_or_lock(&lock, &seq);
	ck_assert(locked());
	ck_assert(!need_seqretry(&lock, seq));
	done_seqretry(&lock, seq);
	ck_assert(!locked());
}
END_TEST

/* An even sequence above INT_MAX is a negative number. */
START_TEST(sequence_of_an_int_wraps)
{
	int seq = 0;

	lock.seqcount_.sequence_ = (unsigned int)INT32_MAX - 1;
	write_data(1);
	read_seqbegin_or_lock(&lock, &seq);
	ck_assert_int_lt(seq, 0);
	ck_assert(!locked() && !need_seqretry(&lock, seq));
	write_data(2);
	ck_assert(need_seqretry(&lock, seq));
	lock.seqcount_.sequence_ = UINT32_MAX - 1;
	read_seqbegin_or_lock(&lock, &seq);
	write_data(3);
	ck_assert_uint_eq(read_seqbegin(&lock), 0);
	ck_assert(need_seqretry(&lock, seq));
}
END_TEST

/* How many passes a scope makes of which the first @disturbed are disturbed. */
static int passes_of(unsigned int target, int disturbed, bool *last_locked)
{
	int passes = 0;

	scoped_seqlock_read (&lock, target) {
		passes++;
		*last_locked = locked();
		if (!*last_locked && passes <= disturbed)
			write_data((uint64_t)passes);
		else if (passes > 1)
			continue;
	}
	ck_assert(!locked());
	return passes;
}

START_TEST(scope_locks_after_its_passes)
{
	bool last;

	ck_assert_int_eq(passes_of(ss_lock, 0, &last), 1);
	ck_assert(!last);
	ck_assert_int_eq(passes_of(ss_lock, 1, &last), 2);
	ck_assert(last);
	ck_assert_int_eq(passes_of(ss_lock_irqsave, 9, &last), 2);
	ck_assert(last);
	ck_assert_int_eq(passes_of(ss_lock_after(3), 2, &last), 3);
	ck_assert(!last);
	ck_assert_int_eq(passes_of(ss_lock_after(3), 9, &last), 4);
	ck_assert(last);
	ck_assert_int_eq(passes_of(ss_lock_irqsave_after(3), 9, &last), 4);
	ck_assert(last);
	ck_assert_int_eq(passes_of(ss_lockless, 50, &last), 51);
	ck_assert(!last);
}
END_TEST

enum way { BREAK, RETURN, GOTO };

/* Leaves the scope from its locked pass. */
static bool leave(enum way way)
{
	scoped_seqlock_read (&lock, ss_lock) {
		if (!locked()) {
			write_data(1);
			continue;
		}
		if (way == BREAK)
			break;
		if (way == RETURN)
			return true;
		goto out;
	}
out:
	return !locked();
}

START_TEST(scope_drops_the_lock_however_it_is_left)
{
	ck_assert(leave(BREAK));
	ck_assert(!locked());
	ck_assert(leave(RETURN));
	ck_assert(!locked());
	ck_assert(leave(GOTO));
	ck_assert(!locked());
}
END_TEST

START_TEST(scopes_nest)
{
	seqlock_t other;
	int passes = 0;

	seqlock_init(&other);
	scoped_seqlock_read (&lock, ss_lock) {
		scoped_seqlock_read (&other, ss_lockless)
			passes++;
	}
	ck_assert_int_eq(passes, 1);
}
END_TEST

static unsigned int handled;

static void handler(int sig)
{
	(void)sig;
	handled += read_seqretry(&lock, read_seqbegin(&lock)) ? 100 : 1;
}

static void install_handler(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

/* The mask as it should be outside: SIGUSR2 blocked, SIGUSR1 not. */
static void block_one(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &set, NULL), 0);
}

static bool blocks(int sig)
{
	sigset_t set;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	return sigismember(&set, sig) == 1;
}

static void check_blocked(void)
{
	ck_assert(blocks(SIGUSR1) && blocks(SIGUSR2) && blocks(SIGALRM));
	handled = 0;
	raise(SIGUSR1);
	ck_assert_uint_eq(handled, 0);
}

static void check_restored(void)
{
	ck_assert(!blocks(SIGUSR1) && blocks(SIGUSR2) && !blocks(SIGALRM));
	ck_assert_uint_eq(handled, 1);
	ck_assert(!locked());
}

/* The handler would wait for the writer below it, for ever. */
START_TEST(handler_waits_for_the_writer_below)
{
	sigset_t flags;

	install_handler();
	block_one();
	write_seqlock_irqsave(&lock, flags);
	check_blocked();
	write_sequnlock_irqrestore(&lock, flags);
	check_restored();
	read_seqlock_excl_irqsave(&lock, flags);
	check_blocked();
	read_sequnlock_excl_irqrestore(&lock, flags);
	check_restored();
}
END_TEST

START_TEST(locked_pass_blocks_signals)
{
	sigset_t flags;
	int seq = 0;

	install_handler();
	block_one();
	flags = read_seqbegin_or_lock_irqsave(&lock, &seq);
	ck_assert(!blocks(SIGUSR1) && !locked());
	done_seqretry_irqrestore(&lock, seq, flags);
	ck_assert(!blocks(SIGUSR1) && blocks(SIGUSR2));
	seq = 1;
	flags = read_seqbegin_or_lock_irqsave(&lock, &seq);
	check_blocked();
	done_seqretry_irqrestore(&lock, seq, flags);
	check_restored();
}
END_TEST

START_TEST(locked_scope_blocks_signals)
{
	unsigned int target = _i == 0 ? ss_lock_irqsave : ss_lock;

	install_handler();
	block_one();
	scoped_seqlock_read (&lock, target) {
		if (!locked()) {
			ck_assert(!blocks(SIGUSR1));
			write_data(1);
			continue;
		}
		if (_i == 0)
			check_blocked();
		else
			ck_assert(!blocks(SIGUSR1));
		break;
	}
	if (_i == 0)
		check_restored();
	ck_assert(!blocks(SIGUSR1) && blocks(SIGUSR2));
}
END_TEST

TCase *seqcount_seqlock_case(void)
{
	TCase *tc = tcase_create("seqlock");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, initialisers_agree);
	tcase_add_test(tc, write_makes_retry_and_excludes);
	tcase_add_test(tc, excluding_reader_disturbs_no_other);
	tcase_add_test(tc, second_pass_locks_when_asked_to);
	tcase_add_test(tc, sequence_of_an_int_wraps);
	tcase_add_test(tc, scope_locks_after_its_passes);
	tcase_add_test(tc, scope_drops_the_lock_however_it_is_left);
	tcase_add_test(tc, scopes_nest);
	tcase_add_test(tc, handler_waits_for_the_writer_below);
	tcase_add_test(tc, locked_pass_blocks_signals);
	tcase_add_loop_test(tc, locked_scope_blocks_signals, 0, 2);
	return tc;
}
