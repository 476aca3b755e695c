/* SPDX-License-Identifier: MIT */
/*
 * A signal handler uses a static domain for the first time between any two
 * instructions of another first use on the same thread.  The processor's trap
 * flag delivers SIGTRAP after each instruction; the handler acts at the k-th.
 * Restartable sequences never get through under it, which puts the twin to use,
 * and so it is with callbacks, first or not, which are queued by both.
 *
 * STEP_STRIDE: the handler acts at each so many instructions only.
 */
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#include "items.h"

#define TRAP_FLAG  0x100
#define MOST_STEPS 20000

static struct srcu_struct domain;
static long steps, act_at;
static void (*act)(void);

static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)signal;
	(void)info;
	if (steps++ != act_at)
		return;
	act();
	interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static long stride(void)
{
	const char *given = getenv("STEP_STRIDE");

	return given ? atol(given) : 1;
}

static void read_once(void)
{
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
}

static inline void trap_on(void)
{
	__asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static inline void trap_off(void)
{
	__asm__ __volatile__("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static void first_is_lock(void)
{
	int idx;

	trap_on();
	idx = __srcu_read_lock(&domain);
	trap_off();
	srcu_read_unlock(&domain, idx);
}

static void first_is_synchronize(void)
{
	trap_on();
	synchronize_srcu(&domain);
	trap_off();
}

static void first_is_stats(void)
{
	struct srcu_stats stats;

	trap_on();
	srcu_get_stats(&domain, &stats);
	trap_off();
}

static void (*const first_uses[])(void) = {first_is_lock, first_is_synchronize, first_is_stats};

START_TEST(a_handler_comes_first_at_any_instruction)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
	struct srcu_stats stats;

	act = read_once;
	sigaction(SIGTRAP, &action, NULL);
	/* Not on CPU 0, whose counters are at the slot's own address. */
	pin_to_nth_cpu(cpus_allowed() - 1);
	for (act_at = 0; act_at < MOST_STEPS; act_at += stride()) {
		init_static_domain(&domain);
		steps = 0;
		first_uses[_i]();
		ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
		ck_assert_uint_eq(stats.readers, 0);
		assert_clean(&domain);
		if (steps <= act_at)
			break;
	}
	ck_assert_int_gt(act_at, 10);
	ck_assert_int_lt(act_at, MOST_STEPS);
}
END_TEST

static struct item items[3];

static void call_once(void)
{
	ck_assert_int_eq(call_srcu(&domain, &items[0].head, note), 0);
}

static void call_in_steps(void)
{
	int error;

	trap_on();
	error = call_srcu(&domain, &items[1].head, note);
	trap_off();
	ck_assert_int_eq(error, 0);
}

START_TEST(a_handler_queues_a_callback_at_any_instruction)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
	bool first = _i;
	long of_these = first ? 4 : 1; /* a first call is long, and a trap slow */
	uint64_t queued = 0;

	act = call_once;
	sigaction(SIGTRAP, &action, NULL);
	pin_to_nth_cpu(cpus_allowed() - 1);
	for (act_at = 0; act_at < MOST_STEPS; act_at += of_these * stride()) {
		init_static_domain(&domain);
		if (!first)
			call_srcu(&domain, &items[2].head, note);
		steps = 0;
		call_in_steps();
		ck_assert_int_eq(srcu_barrier(&domain), 0);
		queued += (steps > act_at) + 1u + !first;
		ck_assert_uint_eq(items_invoked(), queued);
		assert_clean(&domain);
		if (steps <= act_at)
			break;
	}
	ck_assert_int_gt(act_at, 10);
	ck_assert_int_lt(act_at, MOST_STEPS);
}
END_TEST

int main(void)
{
	TCase *steps_case = test_case("single steps");
	TCase *cases[] = {steps_case, NULL};

	if (!SANITIZED) {
		tcase_add_loop_test(steps_case, a_handler_comes_first_at_any_instruction, 0, 3);
		tcase_add_loop_test(
			steps_case, a_handler_queues_a_callback_at_any_instruction, 0, 2);
	}
	return run_suite("first use, step by step", cases);
}
