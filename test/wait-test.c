/* SPDX-License-Identifier: MIT */
/*
 * How a grace period waits: for how long it sleeps at once, with and without haste,
 * and when and how it reports that it waits for long.  The clock and the sleep are
 * the test's own, so that all of it is exact and takes no time.
 *
 * White box: the counts of a domain are looked at where the library has them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "messages.h"

DEFINE_STATIC_SRCU(domain);

/* What the leader of the grace period does before each time it sleeps. */
static void (*on_nap)(void);
static uint64_t naps, longest_ns, first_nap_ns;

static void nap(const uint32_t *word, uint64_t ns)
{
	if (word != &domain.gp_kick_)
		return;
	if (!naps++)
		first_nap_ns = now_ns;
	if (ns > longest_ns)
		longest_ns = ns;
	on_nap();
}

static int idx;
static uint64_t end_ns, begin_ns;

static void end_in_time(void)
{
	if (now_ns < end_ns)
		return;
	srcu_up_read(&domain, idx);
	end_ns = UINT64_MAX;
}

/* Begin a section that ends at the first sleep after @ns. */
static void begin(uint64_t ns, void (*hook)(void))
{
	naps = longest_ns = 0;
	on_nap = hook;
	idx = srcu_down_read(&domain);
	begin_ns = now_ns;
	end_ns = now_ns + ns;
}

static void wait_for(uint64_t ns, void (*hook)(void))
{
	begin(ns, hook);
	synchronize_srcu(&domain);
	ck_assert_uint_gt(naps, 1);
}

static void setup(void)
{
	messages_keep();
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	before_nap = nap;
	now_ns = S;
}

/* Check looks at the clock as well. */
static void finish(void)
{
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	now_ns = 0;
}

/* It looks for a millisecond before it sleeps, and never sleeps for longer than that. */
static void assert_expedited(void)
{
	ck_assert_uint_ge(first_nap_ns - begin_ns, MS);
	ck_assert_uint_le(longest_ns, MS);
}

static void assert_not_expedited(void)
{
	ck_assert_uint_lt(first_nap_ns - begin_ns, MS);
	ck_assert_uint_eq(longest_ns, 10 * MS);
}

START_TEST(a_domain_that_was_idle_expedites_by_itself)
{
	setup();
	wait_for(200 * MS, end_in_time);
	assert_expedited();
	wait_for(200 * MS, end_in_time);
	assert_not_expedited();
	/* Shortly after, it still is not, and 25 us later it is. */
	now_ns += 10 * US;
	wait_for(200 * MS, end_in_time);
	assert_not_expedited();
	now_ns += 25 * US;
	wait_for(200 * MS, end_in_time);
	assert_expedited();
	finish();
}
END_TEST

START_TEST(synchronize_expedited_expedites)
{
	setup();
	wait_for(200 * MS, end_in_time);
	begin(200 * MS, end_in_time);
	synchronize_srcu_expedited(&domain);
	assert_expedited();
	finish();
}
END_TEST

static void expedite_halfway(void)
{
	if (now_ns - begin_ns >= 200 * MS && end_ns == begin_ns + 400 * MS) {
		ck_assert_uint_eq(longest_ns, 10 * MS);
		last_woken = NULL;
		srcu_expedite_current(&domain);
		ck_assert_ptr_eq(last_woken, &domain.gp_kick_);
		end_ns += 1; /* once */
		naps = longest_ns = 0;
	}
	end_in_time();
}

START_TEST(expedite_current_expedites_what_is_under_way)
{
	setup();
	wait_for(200 * MS, end_in_time);
	wait_for(400 * MS, expedite_halfway);
	/* The sleep in which it was called is not one of these. */
	ck_assert_uint_gt(naps, 100);
	ck_assert_uint_le(longest_ns, MS);
	/* And no other one. */
	wait_for(200 * MS, end_in_time);
	assert_not_expedited();
	finish();
}
END_TEST

static bool says(unsigned int n, const char *what)
{
	return strstr(message(n), what) != NULL;
}

START_TEST(a_wait_is_reported_after_ten_seconds_and_doubling)
{
	setup();
	wait_for(45 * S, end_in_time);
	ck_assert_uint_eq(messages(), 3);
	ck_assert(says(0, "domain 'domain': grace period 1 has waited 10."));
	ck_assert(says(1, " has waited 20.") && says(2, " has waited 40."));
	for (unsigned int n = 0; n < 3; n++)
		ck_assert(says(n, ", limit 10.000 s; rank ") && says(n, "; 1 reader(s) inside"));
	wait_for(9 * S, end_in_time);
	ck_assert_uint_eq(messages(), 3);
	finish();
}
END_TEST

static void set_limit(void)
{
	if (naps == 20) {
		ck_assert_uint_eq(messages(), 0);
		ck_assert_int_eq(srcu_debug(&domain, 250), 0);
	}
	end_in_time();
}

START_TEST(a_limit_reaches_the_wait_that_is_under_way)
{
	setup();
	wait_for(1100 * MS, set_limit);
	ck_assert_uint_eq(messages(), 3);
	ck_assert(says(0, " has waited 0.25") && says(0, "limit 0.250 s; "));
	ck_assert(says(1, " has waited 0.50") && says(2, " has waited 1.00"));
	finish();
}
END_TEST

static void lower_limit(void)
{
	if (messages() == 1)
		ck_assert_int_eq(srcu_debug(&domain, 1), 0);
	end_in_time();
}

START_TEST(a_lower_limit_repeats_no_reports)
{
	setup();
	wait_for(15 * S, lower_limit);
	ck_assert_uint_eq(messages(), 1);
	finish();
}
END_TEST

/* Append what the report has to say of the CPU's or the twin's counts. */
static void expect(char *text, size_t size, const char *where, const struct srcu_ctr *ctr)
{
	size_t length = strlen(text);

	if (ctr->srcu_locks != ctr->srcu_unlocks)
		snprintf(text + length, size - length, ", %s %llu/%llu", where,
			(unsigned long long)ctr->srcu_locks, (unsigned long long)ctr->srcu_unlocks);
}

static void expect_rank(char *text, size_t size, unsigned int rank, int open)
{
	uintptr_t slot = domain.word_ & ~(uintptr_t)31;
	size_t length = strlen(text);
	char where[16];

	snprintf(text + length, size - length, "; rank %u: %d open, locks/unlocks", rank, open);
	expect(text, size, "twin", &domain.twin_[rank]);
	for (unsigned int cpu = 0; slot && cpu < domain.cpus_ && cpu < 3; cpu++) {
		snprintf(where, sizeof(where), "CPU %u", cpu);
		expect(text, size, where,
			(struct srcu_ctr *)(slot + cpu * (uintptr_t)SRCU_PERCPU_STRIDE) + rank);
	}
}

/* One section on each rank, and one that began on one CPU and ended on another. */
START_TEST(a_report_has_the_counts_of_the_ranks_that_are_waited_for)
{
	char both[300] = "", one[300] = "";
	int other, wandering;

	setup();
	pin_to_nth_cpu(0);
	wandering = srcu_down_read(&domain);
	other = srcu_down_read(&domain);
	domain.word_ ^= 16; /* a flip */
	pin_to_nth_cpu(cpus_allowed() - 1);
	srcu_up_read(&domain, wandering);
	begin(0, end_in_time);
	expect_rank(both, sizeof(both), 0, 1);
	expect_rank(both, sizeof(both), 1, 1);
	expect_rank(one, sizeof(one), 0, 1);
	end_ns = UINT64_MAX;
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 11 * S), -ETIMEDOUT);
	ck_assert_msg(says(0, both), "'%s' is not in '%s'", both, message(0));
	srcu_up_read(&domain, idx);
	ck_assert_int_eq(synchronize_srcu_timeout(&domain, 11 * S), -ETIMEDOUT);
	ck_assert_msg(says(1, one), "'%s' is not in '%s'", one, message(1));
	ck_assert(!says(1, "rank 1"));
	srcu_up_read(&domain, other);
	synchronize_srcu(&domain);
	finish();
}
END_TEST

static unsigned int stalls, nested;

static void synchronize_in_handler(const struct srcu_struct *ssp, const char *text)
{
	(void)ssp;
	if (strstr(text, ": waits for the grace period that this thread leads"))
		nested++;
	else if (!stalls++)
		ck_assert_int_eq(synchronize_srcu_timeout(&domain, MS), -ETIMEDOUT);
}

START_TEST(a_handler_that_waits_for_its_own_domain_is_reported)
{
	setup();
	srcu_set_warn_handler(synchronize_in_handler);
	wait_for(15 * S, end_in_time);
	ck_assert_uint_eq(stalls, 1);
	ck_assert_uint_eq(nested, 1);
	finish();
}
END_TEST

int main(void)
{
	TCase *haste = test_case("haste"), *reports = test_case("reports");
	TCase *cases[] = {haste, reports, NULL};

	tcase_add_test(haste, a_domain_that_was_idle_expedites_by_itself);
	tcase_add_test(haste, synchronize_expedited_expedites);
	tcase_add_test(haste, expedite_current_expedites_what_is_under_way);
	tcase_add_test(reports, a_wait_is_reported_after_ten_seconds_and_doubling);
	tcase_add_test(reports, a_limit_reaches_the_wait_that_is_under_way);
	tcase_add_test(reports, a_lower_limit_repeats_no_reports);
	tcase_add_test(reports, a_report_has_the_counts_of_the_ranks_that_are_waited_for);
	tcase_add_test(reports, a_handler_that_waits_for_its_own_domain_is_reported);
	return run_suite("waits", cases);
}
