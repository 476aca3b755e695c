/* SPDX-License-Identifier: MIT */
/*
 * The cells "hangs" and "no" of the table in srcu(7): what waits for itself does so
 * for ever, which is here an hour of a clock of the test's, and is reported before.
 * And what waits is no cancellation point.
 *
 * White box: it takes for granted that locks are words that hold their owner.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "items.h"
#include "messages.h"

#define FOR_EVER (3600 * S)

static struct srcu_struct domain;
static struct item item;
static int idx;

static void use_synchronize(void)
{
	synchronize_srcu(&domain);
}

static void use_expedited(void)
{
	synchronize_srcu_expedited(&domain);
}

static void use_timeout(void)
{
	synchronize_srcu_timeout(&domain, UINT64_MAX);
}

static void use_cond(void)
{
	cond_synchronize_srcu(&domain, get_state_synchronize_srcu(&domain));
}

static void use_barrier(void)
{
	call_srcu(&domain, &item.head, note);
	srcu_barrier(&domain);
}

static void use_run(void)
{
	srcu_run_callbacks(&domain, 1);
}

static const struct {
	void (*use)(void);
	const char *report;
} waits[] = {
	{use_synchronize, "synchronize_srcu: waits for "},
	{use_expedited, "synchronize_srcu_expedited: waits for "},
	{use_timeout, "synchronize_srcu_timeout: waits for "},
	{use_cond, "cond_synchronize_srcu: waits for "},
	{use_barrier, "srcu_barrier: waits for "},
};

#define WAITS ((int)(sizeof(waits) / sizeof(waits[0])))

static void init(void)
{
	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	messages_keep();
}

static bool reported(const char *before, const char *what)
{
	char report[160];

	snprintf(report, sizeof(report), "%s%s", before, what);
	for (unsigned int n = 0; n < messages(); n++)
		if (strstr(message(n), report))
			return true;
	return false;
}

static uint64_t begin_ns;

static bool for_ever(void)
{
	return now_ns - begin_ns >= FOR_EVER;
}

static void unlock_at_last(const uint32_t *word, uint64_t ns)
{
	(void)word;
	(void)ns;
	if (for_ever() && idx >= 0) {
		srcu_read_unlock(&domain, idx);
		idx = -1;
	}
}

START_TEST(waiting_in_a_section_hangs)
{
	init();
	ck_assert_int_eq(srcu_debug(&domain, 0), 0);
	idx = srcu_read_lock(&domain);
	before_nap = unlock_at_last;
	begin_ns = now_ns = S;
	waits[_i].use();
	ck_assert_int_eq(idx, -1);
	ck_assert(for_ever());
	ck_assert(reported(waits[_i].report, "this thread's own section, begun by srcu_read_lock"));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	now_ns = 0;
}
END_TEST

/* In a child: a handler over the leader of a grace period. */
static void (*use)(void);
static bool over_callbacks;
static int depth;

static void use_in_handler(int signal)
{
	(void)signal;
	use();
	_exit(1);
}

static void interrupt_leader(const uint32_t *word, uint64_t ns)
{
	(void)word;
	(void)ns;
	if (!depth++) {
		/* As if it was at the callbacks. */
		if (over_callbacks)
			domain.cb_lock_ = domain.gp_lock_;
		begin_ns = now_ns;
		/* TSan objects to what must not be done in a handler. */
		if (SANITIZED)
			use_in_handler(SIGUSR1);
		else
			raise(SIGUSR1);
	} else if (for_ever()) {
		_exit(!over_callbacks && !reported("waits for the grace period that this thread ",
						 "leads: a handler must not"));
	}
}

static void hang(void *arg)
{
	(void)arg;
	signal(SIGUSR1, use_in_handler);
	idx = srcu_read_lock(&domain);
	before_nap = interrupt_leader;
	now_ns = S;
	synchronize_srcu_timeout(&domain, UINT64_MAX);
}

START_TEST(waiting_in_a_handler_may_hang)
{
	init();
	use = waits[_i].use;
	ck_assert(child_succeeds(CHILD_EXITS_AT_ONCE, hang, NULL));
}
END_TEST

static void (*const callback_uses[])(void) = {use_run, use_barrier};

START_TEST(callbacks_in_a_handler_may_hang)
{
	init();
	over_callbacks = true;
	use = callback_uses[_i];
	ck_assert(child_succeeds(CHILD_EXITS_AT_ONCE, hang, NULL));
}
END_TEST

/* A cancelled thread that waits for a section of another, asleep, in each way there is. */
static int returned, tid;

static void *wait_cancelled(void *arg)
{
	pthread_cancel(pthread_self());
	__atomic_store_n(&tid, this_thread(), __ATOMIC_RELEASE);
	waits[*(int *)arg].use();
	srcu_run_callbacks(&domain, 1);
	set_flag(&returned);
	pthread_testcancel();
	return NULL;
}

START_TEST(no_wait_is_a_cancellation_point)
{
	pthread_t thread;
	void *result;

	init();
	idx = srcu_down_read(&domain);
	thread = thread_start(wait_cancelled, &_i);
	await_asleep(&tid);
	srcu_up_read(&domain, idx);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert(flag_set(&returned));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

int main(void)
{
	TCase *hangs = test_case("hangs"), *cancelled = test_case("cancelled");
	TCase *cases[] = {hangs, cancelled, NULL};

	tcase_add_loop_test(hangs, waiting_in_a_section_hangs, 0, WAITS);
	tcase_add_loop_test(hangs, waiting_in_a_handler_may_hang, 0, WAITS);
	tcase_add_loop_test(hangs, callbacks_in_a_handler_may_hang, 0,
		(int)(sizeof(callback_uses) / sizeof(callback_uses[0])));
	tcase_add_loop_test(cancelled, no_wait_is_a_cancellation_point, 0, WAITS);
	return run_suite("hangs", cases);
}
