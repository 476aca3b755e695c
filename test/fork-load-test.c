/* SPDX-License-Identifier: MIT */
/* fork() over and over while threads are at everything; each child lives and cleans up. */
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "child.h"
#include "items.h"

#define DOMAINS 3
#define THREADS 4
#define BATCH   16
#define ROUNDS  1000u

static struct srcu_struct domains[DOMAINS];
static int over;

struct worker {
	pthread_t thread;
	unsigned int number;
	uint64_t rounds;
	struct srcu_head heads[DOMAINS][BATCH];
};

static struct worker workers[THREADS];

static void count_one(struct srcu_head *head)
{
	(void)head;
}

static void work_in(struct worker *worker, struct srcu_struct *ssp, struct srcu_head *heads)
{
	int idx = srcu_read_lock(ssp);

	for (int i = 0; i < BATCH; i++)
		call_srcu(ssp, &heads[i], count_one);
	srcu_read_unlock(ssp, idx);
	switch ((worker->rounds + worker->number) % 3) {
	case 0:
		synchronize_srcu(ssp);
		break;
	case 1:
		synchronize_srcu_expedited(ssp);
		break;
	default:
		srcu_read_unlock_fast(ssp, srcu_read_lock_fast(ssp));
		break;
	}
	srcu_barrier(ssp);
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	while (!flag_set(&over)) {
		for (unsigned int d = 0; d < DOMAINS; d++)
			work_in(worker, &domains[d], worker->heads[d]);
		__atomic_fetch_add(&worker->rounds, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int invoked;

static void tell(struct srcu_head *head)
{
	(void)head;
	set_flag(&invoked);
}

static void use(struct srcu_struct *ssp)
{
	static struct srcu_head head;
	int idx = srcu_read_lock(ssp);

	must(synchronize_srcu_timeout(ssp, 0) == -ETIMEDOUT);
	srcu_read_unlock(ssp, idx);
	synchronize_srcu(ssp);
	invoked = 0;
	must(call_srcu(ssp, &head, tell) == 0);
	must(srcu_barrier(ssp) == 0);
	must(flag_set(&invoked));
	invoked = 0;
	must(call_srcu(ssp, &head, tell) == 0);
	await_flag(&invoked); /* by the child's own threads */
	must(srcu_barrier(ssp) == 0);
	must(cleanup_srcu_struct(ssp) == 0);
}

static void live(void *arg)
{
	static struct srcu_struct own;

	(void)arg;
	if (!forced("nomemory"))
		must(init_srcu_struct(&own) == 0);
	else
		init_static_domain(&own);
	must(srcu_start_callbacks() == 0);
	for (unsigned int d = 0; d < DOMAINS; d++)
		use(&domains[d]);
	use(&own);
	must(warnings() == 0);
}

START_TEST(no_child_of_a_busy_process_hangs)
{
	warnings_collect();
	for (unsigned int d = 0; d < DOMAINS; d++)
		init_domain(&domains[d], SRCU_CALLBACKS_THREADS);
	for (unsigned int i = 0; i < THREADS; i++) {
		workers[i].number = i;
		workers[i].thread = thread_start(work, &workers[i]);
	}
	for (unsigned int i = 0; i < ROUNDS; i++)
		ck_assert(child_succeeds(i % 2 ? CHILD_EXITS : CHILD_EXITS_AT_ONCE, live, NULL));
	set_flag(&over);
	for (unsigned int i = 0; i < THREADS; i++) {
		thread_join(workers[i].thread);
		ck_assert_uint_gt(workers[i].rounds, 0);
	}
	for (unsigned int d = 0; d < DOMAINS; d++)
		ck_assert_int_eq(cleanup_srcu_struct(&domains[d]), 0);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

int main(void)
{
	TCase *load = test_case("load");
	TCase *cases[] = {load, NULL};

	/* A sanitizer's own locks may be held by a thread that stayed behind. */
	if (!SANITIZED)
		tcase_add_test(load, no_child_of_a_busy_process_hangs);
	return run_suite("fork under load", cases);
}
