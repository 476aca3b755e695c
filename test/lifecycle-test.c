/* SPDX-License-Identifier: MIT */
/*
 * A domain's beginning and end: options, errors, misuse before and after,
 * clean-up with something left, the reuse of counters, statistics.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "harness.h"

START_TEST(null_is_refused)
{
	struct srcu_stats stats;
	struct srcu_ctr *ctr;

	warnings_collect();
	ck_assert_int_eq(init_srcu_struct(NULL), -EINVAL);
	ck_assert_int_eq(init_srcu_struct_with(NULL, NULL), -EINVAL);
	ck_assert_int_eq(srcu_get_stats(NULL, &stats), -EINVAL);
	ck_assert_uint_eq(warnings(), 0);
	ck_assert_int_eq(cleanup_srcu_struct(NULL), -EINVAL);
	synchronize_srcu(NULL);
	synchronize_srcu_expedited(NULL);
	ctr = srcu_read_lock_fast(NULL);
	ck_assert_ptr_nonnull(ctr);
	srcu_read_unlock_fast(NULL, ctr);
	srcu_read_unlock(NULL, srcu_read_lock(NULL));
	ck_assert_uint_eq(warnings(), 7);
	ck_assert(warned_of("the domain is NULL"));
}
END_TEST

START_TEST(a_zeroed_domain_is_reported)
{
	struct srcu_struct zeroed;
	struct srcu_stats stats;

	memset(&zeroed, 0, sizeof(zeroed));
	warnings_collect();
	srcu_read_unlock(&zeroed, srcu_read_lock(&zeroed));
	srcu_read_unlock_fast(&zeroed, srcu_read_lock_fast(&zeroed));
	synchronize_srcu(&zeroed);
	ck_assert_int_eq(cleanup_srcu_struct(&zeroed), -EINVAL);
	ck_assert_int_eq(srcu_get_stats(&zeroed, &stats), -EINVAL);
	ck_assert_uint_eq(warnings(), 6);
	ck_assert(warned_of("never initialised"));
}
END_TEST

START_TEST(use_after_cleanup_is_reported)
{
	struct srcu_struct domain;
	struct srcu_options options = {.name = "finished"};

	ck_assert_int_eq(init_srcu_struct_with(&domain, &options), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	warnings_collect();
	ck_assert_int_eq(cleanup_srcu_struct(&domain), -EINVAL);
	ck_assert(warned_of("domain 'finished': cleanup_srcu_struct: the domain was cleaned up"));
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	srcu_read_unlock_fast(&domain, srcu_read_lock_fast(&domain));
	synchronize_srcu(&domain);
	ck_assert_uint_eq(warnings(), 6);
	/* It may be initialised again. */
	ck_assert_int_eq(init_srcu_struct(&domain), 0);
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(warnings(), 6);
}
END_TEST

START_TEST(a_static_domain_may_end_unused)
{
	struct srcu_struct unused = SRCU_STRUCT_INIT_(unused);
	struct srcu_stats stats;

	warnings_collect();
	ck_assert_int_eq(srcu_get_stats(&unused, &stats), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&unused), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&unused), -EINVAL);
	ck_assert_uint_eq(warnings(), 1);
}
END_TEST

static unsigned int handled;

static void report_again(const struct srcu_struct *ssp, const char *message)
{
	(void)message;
	handled++;
	synchronize_srcu((struct srcu_struct *)(uintptr_t)ssp);
}

START_TEST(a_handler_whose_reports_call_it_comes_to_an_end)
{
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	srcu_set_warn_handler(report_again);
	synchronize_srcu(NULL);
	ck_assert_uint_eq(handled, 4);
	/* It was not for good. */
	synchronize_srcu(NULL);
	ck_assert_uint_eq(handled, 8);
}
END_TEST

START_TEST(cleanup_with_a_reader_inside_frees_nothing)
{
	struct srcu_struct domain;
	int idx;

	warnings_collect();
	ck_assert_int_eq(init_srcu_struct(&domain), 0);
	idx = srcu_read_lock(&domain);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), -EBUSY);
	ck_assert(warned_of("1 reader(s) inside"));
	ck_assert_uint_eq(warnings(), 1);
	srcu_read_unlock(&domain, idx);
	synchronize_srcu(&domain);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(warnings(), 1);
}
END_TEST

static struct srcu_struct busy;

static void *wait_on_busy(void *arg)
{
	synchronize_srcu(&busy);
	set_flag(arg);
	return NULL;
}

START_TEST(cleanup_during_a_grace_period_frees_nothing)
{
	int returned = 0, idx;
	pthread_t thread;

	warnings_collect();
	ck_assert_int_eq(init_srcu_struct(&busy), 0);
	idx = srcu_read_lock(&busy);
	thread = thread_start(wait_on_busy, &returned);
	while (!__atomic_load_n(&busy.gp_lock_, __ATOMIC_RELAXED))
		;
	ck_assert_int_eq(cleanup_srcu_struct(&busy), -EBUSY);
	ck_assert(warned_of("a grace period is under way"));
	srcu_read_unlock(&busy, idx);
	await_flag(&returned);
	thread_join(thread);
	ck_assert_int_eq(cleanup_srcu_struct(&busy), 0);
}
END_TEST

static void *synchronize_busy(void *arg)
{
	synchronize_srcu(&busy);
	return arg;
}

/*
 * Misuse, but of the kind that is survived: cleanup gets the lock that updaters
 * wait for.
 */
START_TEST(cleanup_under_waiting_updaters_does_not_crash)
{
	for (int round = 0; round < 300; round++) {
		pthread_t threads[3];
		int idx;

		warnings_collect();
		ck_assert_int_eq(init_srcu_struct(&busy), 0);
		idx = srcu_read_lock(&busy);
		for (int i = 0; i < 3; i++)
			threads[i] = thread_start(synchronize_busy, NULL);
		while (__atomic_load_n(&busy.gp_lock_, __ATOMIC_RELAXED) < 2)
			;
		srcu_read_unlock(&busy, idx);
		while (cleanup_srcu_struct(&busy))
			;
		for (int i = 0; i < 3; i++)
			thread_join(threads[i]);
	}
}
END_TEST

START_TEST(unknown_options_are_refused)
{
	struct srcu_struct domain;
	struct srcu_options options = {.readers = (enum srcu_reader_mode)7};

	ck_assert_int_eq(init_srcu_struct_with(&domain, &options), -EINVAL);
	options = (struct srcu_options){.updates = (enum srcu_update_side)9};
	ck_assert_int_eq(init_srcu_struct_with(&domain, &options), -EINVAL);
	options = (struct srcu_options){.reserved = {0, 1}};
	ck_assert_int_eq(init_srcu_struct_with(&domain, &options), -EINVAL);
	options = (struct srcu_options){.readers = SRCU_READERS_MEMBARRIER};
	ck_assert_int_eq(
		init_srcu_struct_with(&domain, &options), forced("nomembarrier") ? -EOPNOTSUPP : 0);
	if (!forced("nomembarrier"))
		ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

START_TEST(the_mode_in_use_is_told)
{
	struct srcu_struct domain;
	struct srcu_stats stats;

	ck_assert_int_eq(init_srcu_struct(&domain), 0);
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	ck_assert_int_eq(srcu_get_stats(&domain, &stats), 0);
	if (forced("nomembarrier"))
		ck_assert_int_eq(stats.barrier, SRCU_BARRIER_FENCES);
	else
		ck_assert_int_eq(stats.barrier, SRCU_BARRIER_MEMBARRIER);
	if (forced("norseq") || forced("nomembarrier"))
		ck_assert_int_eq(stats.counters, SRCU_COUNT_ATOMIC);
	ck_assert_uint_ge(stats.cpus, 1);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

/* A slot's next owner meets the counts of the one before, from several CPUs. */
START_TEST(slots_are_reused_with_their_counts)
{
	unsigned int cpus = cpus_allowed();
	struct srcu_struct domain;
	uintptr_t slot = 0;

	warnings_collect();
	for (unsigned int i = 0; i < 500; i++) {
		int idx;

		ck_assert_int_eq(init_srcu_struct(&domain), 0);
		ck_assert(!slot || (domain.word_ & ~(uintptr_t)31) == slot);
		slot = domain.word_ & ~(uintptr_t)31;
		pin_to_nth_cpu(i % cpus);
		idx = srcu_read_lock(&domain);
		/* As a lock that was counted on the twin and unlocked on a CPU. */
		domain.twin_[0].srcu_locks += i;
		domain.open_[0] += i; /* and in debug mode here */
		for (unsigned int k = 0; k < i; k++)
			srcu_read_unlock(&domain, idx);
		pin_to_nth_cpu((i + 1) % cpus);
		srcu_read_unlock(&domain, idx);
		synchronize_srcu(&domain);
		ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	}
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

START_TEST(many_domains_are_apart)
{
	enum { N = 2000 };
	struct srcu_struct *domains = calloc(N, sizeof(*domains));
	int *tokens = calloc(N, sizeof(*tokens));

	warnings_collect();
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(init_srcu_struct(&domains[i]), 0);
		tokens[i] = srcu_read_lock(&domains[i]);
	}
	for (int i = 0; i < N; i++) {
		struct srcu_stats stats;

		srcu_get_stats(&domains[i], &stats);
		ck_assert_uint_eq(stats.readers, 1);
		srcu_read_unlock(&domains[i], tokens[i]);
		synchronize_srcu(&domains[i]);
		ck_assert_int_eq(cleanup_srcu_struct(&domains[i]), 0);
	}
	ck_assert_uint_eq(warnings(), 0);
	free(domains);
	free(tokens);
}
END_TEST

START_TEST(no_address_space_is_enomem_and_static_domains_work)
{
	struct rlimit none = {1, 1};
	struct srcu_struct domain, lazy = SRCU_STRUCT_INIT_(lazy);
	struct srcu_stats stats;
	int idx;

	warnings_collect();
	if (!forced("nomemory"))
		ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	ck_assert_int_eq(init_srcu_struct(&domain), -ENOMEM);
	ck_assert_int_eq(init_srcu_struct_with(
				 &domain, &(struct srcu_options){.readers = SRCU_READERS_FENCED}),
		-ENOMEM);
	idx = srcu_read_lock(&lazy);
	ck_assert_int_eq(srcu_get_stats(&lazy, &stats), 0);
	ck_assert_int_eq(stats.counters, SRCU_COUNT_TWIN);
	ck_assert_uint_eq(stats.readers, 1);
	ck_assert_int_eq(cleanup_srcu_struct(&lazy), -EBUSY);
	srcu_read_unlock(&lazy, idx);
	synchronize_srcu(&lazy);
	ck_assert_int_eq(cleanup_srcu_struct(&lazy), 0);
	ck_assert_uint_eq(warnings(), 1);
}
END_TEST

START_TEST(a_small_address_space_makes_a_small_window)
{
	struct rlimit small = {(rlim_t)2 << 30, (rlim_t)2 << 30};
	struct srcu_struct domain;

	if (forced("nomemory"))
		return;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &small), 0);
	ck_assert_int_eq(init_srcu_struct(&domain), 0);
	for (int i = 0; i < 100; i++) {
		srcu_read_unlock(&domain, srcu_read_lock(&domain));
		srcu_read_unlock_fast(&domain, srcu_read_lock_fast(&domain));
		synchronize_srcu(&domain);
	}
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

int main(void)
{
	TCase *misuse = test_case("misuse"), *life = test_case("life"),
	      *none = test_case("no memory");
	TCase *cases[] = {misuse, life, none, NULL};

	if (!forced("nomemory")) {
		tcase_add_test(misuse, null_is_refused);
		tcase_add_test(misuse, a_zeroed_domain_is_reported);
		tcase_add_test(misuse, use_after_cleanup_is_reported);
		tcase_add_test(misuse, a_handler_whose_reports_call_it_comes_to_an_end);
		tcase_add_test(misuse, cleanup_with_a_reader_inside_frees_nothing);
		tcase_add_test(misuse, cleanup_during_a_grace_period_frees_nothing);
		tcase_add_test(misuse, cleanup_under_waiting_updaters_does_not_crash);
		tcase_add_test(misuse, unknown_options_are_refused);
		tcase_add_test(life, a_static_domain_may_end_unused);
		tcase_add_test(life, the_mode_in_use_is_told);
		tcase_add_test(life, slots_are_reused_with_their_counts);
		tcase_add_test(life, many_domains_are_apart);
	}
	if (!SANITIZED || forced("nomemory"))
		tcase_add_test(none, no_address_space_is_enomem_and_static_domains_work);
	if (!SANITIZED)
		tcase_add_test(none, a_small_address_space_makes_a_small_window);
	return run_suite("life of a domain", cases);
}
