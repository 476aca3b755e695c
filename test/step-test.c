/* SPDX-License-Identifier: MIT */
/*
 * A signal handler uses a static domain for the first time between any two
 * instructions of another first use on the same thread.  The processor's trap
 * flag delivers SIGTRAP after each instruction; the handler acts at the k-th.
 * Restartable sequences never get through under it, which puts the twin to use.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "harness.h"

#define TRAP_FLAG  0x100
#define MOST_STEPS 20000

static struct srcu_struct domain;
static long steps, act_at;

static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)signal;
	(void)info;
	if (steps++ != act_at)
		return;
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
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
	const struct srcu_struct fresh = SRCU_STRUCT_INIT_(domain);
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
	struct srcu_stats stats;

	warnings_collect();
	sigaction(SIGTRAP, &action, NULL);
	/* Not on CPU 0, whose counters are at the slot's own address. */
	pin_to_nth_cpu(cpus_allowed() - 1);
	for (act_at = 0; act_at < MOST_STEPS; act_at++) {
		memcpy(&domain, &fresh, sizeof(domain));
		steps = 0;
		first_uses[_i]();
		ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
		ck_assert_uint_eq(stats.readers, 0);
		ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
		if (steps <= act_at)
			break;
	}
	ck_assert_int_gt(act_at, 10);
	ck_assert_int_lt(act_at, MOST_STEPS);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

int main(void)
{
	TCase *steps_case = test_case("single steps");
	TCase *cases[] = {steps_case, NULL};

	if (!SANITIZED)
		tcase_add_loop_test(steps_case, a_handler_comes_first_at_any_instruction, 0, 3);
	return run_suite("first use, step by step", cases);
}
