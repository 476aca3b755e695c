/* SPDX-License-Identifier: MIT */
/*
 * A signal handler has a section of liburcu's interface between any two
 * instructions of another one on the same thread.  The processor's trap flag
 * delivers SIGTRAP after each instruction; the handler acts at the k-th.
 */
#include <signal.h>
#include <srcu/urcu-compat.h>
#include <ucontext.h>

#include "harness.h"

#define TRAP_FLAG 0x100

static long steps, act_at;
static bool exposed;

/* With no section in its way a grace period takes fewer polls than these. */
static bool passes(struct urcu_gp_poll_state state)
{
	for (int i = 0; i < 6; i++)
		if (poll_state_synchronize_rcu(state))
			return true;
	return false;
}

/* The polls before the section turn the domain, so that its token is another. */
static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)signal;
	(void)info;
	if (steps++ != act_at)
		return;
	passes(start_poll_synchronize_rcu());
	rcu_read_lock();
	exposed = passes(start_poll_synchronize_rcu());
	rcu_read_unlock();
	interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void section_in_steps(void)
{
	__asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
	rcu_read_lock();
	rcu_read_unlock();
	__asm__ __volatile__("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

START_TEST(a_handler_has_a_section_at_any_instruction_of_another)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
	struct srcu_stats stats;

	sigaction(SIGTRAP, &action, NULL);
	warnings_collect();
	for (act_at = 0; !act_at || steps >= act_at; act_at++) {
		steps = 0;
		section_in_steps();
		ck_assert_msg(!exposed, "at instruction %ld", act_at);
		ck_assert_int_eq(rcu_read_ongoing(), 0);
		ck_assert_msg(passes(start_poll_synchronize_rcu()), "at instruction %ld", act_at);
	}
	ck_assert_int_gt(act_at, 10);
	ck_assert_int_eq(srcu_get_stats(&srcu_urcu_domain, &stats), 0);
	ck_assert_uint_eq(stats.readers, 0);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

int main(void)
{
	TCase *steps_case = test_case("single steps");
	TCase *cases[] = {steps_case, NULL};

	if (!SANITIZED)
		tcase_add_test(steps_case, a_handler_has_a_section_at_any_instruction_of_another);
	return run_suite("urcu-compat by steps", cases);
}
