/* SPDX-License-Identifier: MIT */
/*
 * A thread gives up its restartable sequences while the program runs, as one does that
 * has an area of its own, and counts by atomic instructions then, beside others that
 * have theirs.  A kernel that refuses them from some time on need not be tested: glibc
 * ends the process when it starts a thread.
 */
#include <errno.h>
#include <linux/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "hunters.h"
#include "items.h"

#define SKIPPED 77

#ifdef SRCU_RSEQ_INLINE

enum { ADDITIONS = 1000 };

static struct srcu_struct domain;
static uint64_t *counter;

static bool have_sequences(void)
{
	return srcu_rseq_cpu_() >= 0;
}

/*
 * As glibc has registered it: what is in use of it by __rseq_size, and no less than the
 * structure as it first was.  The kernel wants the same size of who gives it up.
 */
static bool register_area(int flags)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
	unsigned int size = __rseq_size > 32 ? __rseq_size : 32;

	return !syscall(SYS_rseq, area, size, flags, RSEQ_SIG);
}

static void give_up(void)
{
	ck_assert(have_sequences() && register_area(RSEQ_FLAG_UNREGISTER));
	ck_assert(!have_sequences());
}

static uint64_t sections(void)
{
	struct srcu_stats stats;

	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	return stats.readers;
}

static void begin(void)
{
	init_domain(&domain, SRCU_CALLBACKS_THREADS);
	counter = alloc_percpu(uint64_t);
	ck_assert(counter || forced("nomemory"));
}

/* Sections of each kind, callbacks, and a counter of a program's. */
static void use_domain(void)
{
	struct srcu_ctr *scp = srcu_read_lock_fast(&domain);
	int idx = srcu_read_lock(&domain);

	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
	srcu_read_unlock(&domain, idx);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
	srcu_read_unlock_fast(&domain, scp);
	synchronize_srcu(&domain);
	assert_callbacks_work(&domain);
	for (int i = 0; counter && i < ADDITIONS; i++)
		this_cpu_add(*counter, 3);
}

/* Who used it that often has left nothing behind. */
static void end(unsigned int times)
{
	ck_assert_uint_eq(sections(), 0);
	if (counter)
		ck_assert_uint_eq(percpu_sum(counter), 3 * ADDITIONS * times);
	free_percpu(counter);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	assert_clean(&domain);
}

struct ends {
	int began_there;
	int began_here;
};

static void *live_without(void *arg)
{
	struct ends *ends = arg;

	give_up();
	srcu_up_read(&domain, ends->began_there);
	ck_assert_uint_eq(sections(), 0);
	use_domain();
	ends->began_here = srcu_down_read(&domain);
	return NULL;
}

START_TEST(sections_begin_and_end_on_either_side)
{
	struct ends ends;

	begin();
	ends.began_there = srcu_down_read(&domain);
	thread_join(thread_start(live_without, &ends));
	ck_assert_uint_eq(sections(), 1);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
	srcu_up_read(&domain, ends.began_here);
	use_domain();
	end(2);
}
END_TEST

START_TEST(readers_with_and_without_are_waited_for)
{
	begin();
	hunters_start(&domain);
	hunters_start_with(&domain, give_up);
	assert_no_section_is_missed(&domain, HUNT_ROUNDS / 5);
	give_up();
	assert_no_section_is_missed(&domain, HUNT_ROUNDS / 5);
	hunters_stop();
	end(0);
}
END_TEST

/* And may have them back. */
START_TEST(they_go_in_the_middle_of_a_section)
{
	struct srcu_ctr *scp;
	int idx;

	begin();
	scp = srcu_read_lock_fast(&domain);
	give_up();
	ck_assert_uint_eq(sections(), 1);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
	srcu_read_unlock_fast(&domain, scp);
	use_domain();
	idx = srcu_read_lock(&domain);
	ck_assert(register_area(0) && have_sequences());
	ck_assert_uint_eq(sections(), 1);
	srcu_read_unlock(&domain, idx);
	use_domain();
	end(2);
}
END_TEST

static void read_and_wait(void *arg)
{
	must(!have_sequences());
	srcu_read_unlock(arg, srcu_read_lock(arg));
	synchronize_srcu(arg);
	must(!srcu_barrier(arg));
}

START_TEST(a_child_has_none_either)
{
	begin();
	give_up();
	use_domain();
	ck_assert(child_succeeds(CHILD_EXITS_AT_ONCE, read_and_wait, &domain));
	end(1);
}
END_TEST

int main(void)
{
	TCase *lost;

	if (!have_sequences())
		return SKIPPED;
	lost = test_case("lost");
	tcase_add_test(lost, sections_begin_and_end_on_either_side);
	tcase_add_test(lost, readers_with_and_without_are_waited_for);
	tcase_add_test(lost, they_go_in_the_middle_of_a_section);
	if (!SANITIZED)
		tcase_add_test(lost, a_child_has_none_either);
	return run_suite("restartable sequences lost", (TCase *[]){lost, NULL});
}

#else

int main(void)
{
	return SKIPPED;
}

#endif
