/* SPDX-License-Identifier: MIT */
/*
 * fork() with the library at whatever it does: what is under way in the parent
 * does not hold the child up, what the child inherits is harmless, and the
 * child's own sections, grace periods, callbacks and children are as everywhere.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fork-live.h"

static struct stepper stepper = STEPPER_INIT;

static void wait_to_return(struct srcu_head *head)
{
	(void)head;
	step_pause(&stepper, 1);
}

static pthread_t other, another;

static void begin_idle(void)
{
}

static void begin_other_section(void)
{
	other = thread_start(read_until_told, &stepper);
	step_await(&stepper, 1);
}

static void end_other_section(void)
{
	step_allow(&stepper, 1);
	thread_join(other);
}

static void begin_grace_period(void)
{
	begin_other_section();
	another = thread_start(synchronize, NULL);
	while (!__atomic_load_n(&domain.gp_since_, __ATOMIC_RELAXED))
		sched_yield();
}

static void end_other_section_and_thread(void)
{
	end_other_section();
	thread_join(another);
}

static void begin_queued(void)
{
	begin_other_section();
	queue();
}

/* Some wait for the grace period under way, and some for the next one. */
static void begin_two_batches(void)
{
	static struct srcu_head first;

	begin_other_section();
	call_srcu(&domain, &first, note);
	/* Nothing is invoked: the section is open. */
	ck_assert_uint_eq(srcu_run_callbacks(&domain, 1), 0);
	queue();
	ck_assert_uint_eq(srcu_run_callbacks(&domain, 1), 0);
	here.queued++;
}

static void begin_barrier(void)
{
	begin_queued();
	another = thread_start(wait_for_callbacks, NULL);
	while (!__atomic_load_n(&domain.barriers_, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void begin_asleep(void)
{
	callback_first();
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	while (__atomic_load_n(&domain.active_, __ATOMIC_ACQUIRE))
		sched_yield();
}

static void begin_last_callback(void)
{
	static struct srcu_head blocker;

	call_srcu(&domain, &blocker, wait_to_return);
	step_await(&stepper, 1);
}

static void begin_callback(void)
{
	begin_last_callback();
	queue();
}

static void end_callback(void)
{
	step_allow(&stepper, 1);
}

static const struct {
	void (*begin)(void);
	void (*end)(void);
	bool needs_threads, has_readers;
} states[] = {
	{begin_idle, begin_idle, false, false},
	{begin_sections, end_sections, false, true},
	{begin_other_section, end_other_section, false, true},
	{begin_grace_period, end_other_section_and_thread, false, true},
	{begin_queued, end_other_section, false, true},
	{begin_two_batches, end_other_section, false, true},
	{begin_barrier, end_other_section_and_thread, false, true},
	{begin_asleep, begin_idle, true, false},
	{begin_callback, end_callback, true, false},
};

#define STATES ((int)(sizeof(states) / sizeof(states[0])))

static void fork_in(int state, enum srcu_callback_mode mode)
{
	if (!child_possible(here.kind) ||
		(states[state].needs_threads && mode == SRCU_CALLBACKS_CALLER))
		return;
	here.mode = mode;
	here.more = 2;
	init(mode);
	states[state].begin();
	ck_assert(child_succeeds(here.kind, live, NULL));
	states[state].end();
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_ge(count(), here.queued);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(warnings(), 0);
}

START_TEST(children_live_whatever_the_parent_is_at)
{
	here.first = (unsigned int)(_i % (int)firsts_count);
	here.kind = (enum child_kind)(_i / (int)firsts_count / STATES);
	fork_in(_i / (int)firsts_count % STATES, SRCU_CALLBACKS_THREADS);
}
END_TEST

START_TEST(children_run_their_own_callbacks)
{
	here.first = (unsigned int)(_i % (int)firsts_count);
	here.kind = CHILD_EXITS;
	fork_in(_i / (int)firsts_count, SRCU_CALLBACKS_CALLER);
}
END_TEST

/* The fresh slot was another domain's, which was counted on a CPU that this one never saw. */
START_TEST(what_the_slot_counted_before_is_covered)
{
	struct srcu_struct before;
	int idx;

	if (cpus_allowed() < 2 || forced("nomemory"))
		return;
	pin_to_nth_cpu(0);
	here.mode = SRCU_CALLBACKS_CALLER;
	init(here.mode);
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	ck_assert_int_eq(init_srcu_struct(&before), 0);
	idx = srcu_read_lock(&before);
	pin_to_nth_cpu(1);
	srcu_read_unlock(&before, idx);
	ck_assert_int_eq(cleanup_srcu_struct(&before), 0);
	pin_to_nth_cpu(0);
	ck_assert(child_succeeds(CHILD_EXITS, live, NULL));
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

static struct srcu_struct *mapped;

static void live_on(void *arg)
{
	(void)arg;
	synchronize_srcu(&domain);
}

/* The domain is gone, the slots that it left are known as its own. */
static void free_and_fork(void *arg)
{
	(void)arg;
	must(cleanup_srcu_struct(mapped) == 0);
	must(munmap(mapped, sizeof(*mapped)) == 0);
	must(child_succeeds(CHILD_EXITS, live_on, NULL));
}

START_TEST(a_child_frees_a_domain_and_forks)
{
	if (forced("nomemory"))
		return;
	init(SRCU_CALLBACKS_THREADS);
	mapped = mmap(
		NULL, sizeof(*mapped), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(mapped != MAP_FAILED);
	ck_assert_int_eq(init_srcu_struct(mapped), 0);
	ck_assert(child_succeeds(CHILD_EXITS, free_and_fork, NULL));
	ck_assert_int_eq(cleanup_srcu_struct(mapped), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

/* One slot for each domain and fork. */
static void check_slot(void *arg)
{
	const uintptr_t *slot = arg;

	must((domain.word_ & ~(uintptr_t)31) == *slot + 32);
}

START_TEST(a_fork_takes_one_slot)
{
	uintptr_t slot;

	if (forced("nomemory"))
		return;
	init(SRCU_CALLBACKS_CALLER);
	slot = domain.word_ & ~(uintptr_t)31;
	ck_assert(child_succeeds(CHILD_EXITS, check_slot, &slot));
}
END_TEST

static pid_t child;

static void fork_in_callback(struct srcu_head *head)
{
	(void)head;
	child = child_make(here.kind);
	if (child)
		return;
	must(srcu_barrier(&domain) == -EDEADLK);
	sections_are_waited_for();
	a_domain_of_its_own_works();
	must(warnings() == 0);
	child_end(here.kind);
}

START_TEST(callbacks_fork)
{
	static struct srcu_head head;

	here.kind = (enum child_kind)(_i / 2);
	here.mode = _i % 2 ? SRCU_CALLBACKS_CALLER : SRCU_CALLBACKS_THREADS;
	if (!child_possible(here.kind))
		return;
	init(here.mode);
	ck_assert_int_eq(call_srcu(&domain, &head, fork_in_callback), 0);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert(child_ended_well(child));
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

static bool forks_returned;
static struct srcu_head behind;

static void fork_and_return(struct srcu_head *head)
{
	(void)head;
	child = child_make(CHILD_EXITS);
	forks_returned = !child;
	if (!forks_returned)
		return;
	must(call_srcu(&domain, &behind, note) == -EBUSY); /* it is queued here too */
	must(warnings() == 1);
	warnings_collect();
}

/* The child comes back from the callback, and has the rest of them. */
START_TEST(a_child_returns_from_a_callback)
{
	static struct srcu_head head;

	here.mode = SRCU_CALLBACKS_CALLER;
	here.more = 1;
	init(here.mode);
	ck_assert_int_eq(call_srcu(&domain, &head, fork_and_return), 0);
	queue();
	here.queued = 0;
	ck_assert_int_eq(call_srcu(&domain, &behind, note), 0);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_uint_eq(count(), QUEUED + 1);
	if (forks_returned) {
		live(NULL);
		child_end(CHILD_EXITS);
	}
	ck_assert(child_ended_well(child));
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

static bool in_child;
static int handled;

/* In the child of a callback, whose thread is on its way back from it. */
static void *end_domain(void *arg)
{
	const unsigned char *byte = arg;

	must(srcu_barrier(&domain) == 0);
	must(cleanup_srcu_struct(&domain) == 0);
	memset(&domain, 0xa5, sizeof(domain));
	for (int i = 0; i < 100; i++)
		sched_yield();
	for (size_t i = 0; i < sizeof(domain); i++)
		must(byte[i] == 0xa5);
	child_end(CHILD_EXITS_AT_ONCE);
}

static void fork_and_end_domain(struct srcu_head *head)
{
	pthread_t thread;

	(void)head;
	child = child_make(CHILD_EXITS_AT_ONCE);
	if (!child) {
		/* Not by thread_start(): the thread of the test may have had Check's lock. */
		must(pthread_create(&thread, NULL, end_domain, &domain) == 0);
		while (!__atomic_load_n(&domain.barriers_, __ATOMIC_ACQUIRE))
			sched_yield();
	}
	set_flag(&handled);
}

START_TEST(nobody_comes_back_to_a_domain_that_a_child_ended)
{
	static struct srcu_head head;

	init(SRCU_CALLBACKS_THREADS);
	for (int i = 0; i < 50; i++) {
		__atomic_store_n(&handled, 0, __ATOMIC_RELAXED);
		ck_assert_int_eq(call_srcu(&domain, &head, fork_and_end_domain), 0);
		await_flag(&handled); /* by a thread of the library's */
		ck_assert(child_ended_well(child));
		ck_assert_int_eq(srcu_barrier(&domain), 0);
	}
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

static void fork_in_handler(int signal)
{
	(void)signal;
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	child = child_make(here.kind);
	in_child = !child;
	set_flag(&handled);
}

static pthread_t waiting;
static int waiting_tid;

static void init_with_handler(void)
{
	struct sigaction action = {.sa_flags = SA_RESTART};

	action.sa_handler = fork_in_handler;
	sigaction(SIGUSR1, &action, NULL);
	init(SRCU_CALLBACKS_THREADS);
	waiting = pthread_self();
}

/* The handler comes before a wait for a section of another thread's. */
START_TEST(a_handler_forks_before_a_wait)
{
	here.kind = (enum child_kind)_i;
	if (!child_possible(here.kind))
		return;
	init_with_handler();
	begin_queued();
	pthread_kill(waiting, SIGUSR1);
	/* In the child there is no such section. */
	if (!in_child) {
		ck_assert_int_eq(synchronize_srcu_timeout(&domain, 0), -ETIMEDOUT);
		end_other_section();
	}
	srcu_barrier(&domain);
	if (in_child) {
		must(count() == QUEUED);
		here.queued = 0;
		live(NULL);
		child_end(here.kind);
	}
	ck_assert(child_ended_well(child));
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

/* What a thread sleeps in, for what another thread is at. */
static void lead(void)
{
	synchronize_srcu(&domain);
}

static void follow(void)
{
	another = thread_start(synchronize, NULL);
	while (!__atomic_load_n(&domain.gp_since_, __ATOMIC_RELAXED))
		sched_yield();
	synchronize_srcu(&domain);
}

static void wait_for_an_invoker(void)
{
	srcu_barrier(&domain);
}

static const struct {
	void (*begin)(void);
	void (*wait)(void);
	void (*end)(void);
} waits[] = {
	{begin_other_section, lead, end_other_section},
	{begin_other_section, follow, end_other_section_and_thread},
	{begin_callback, wait_for_an_invoker, end_callback},
	{begin_last_callback, wait_for_an_invoker, end_callback},
};

#define WAITS ((int)(sizeof(waits) / sizeof(waits[0])))

static void *interrupt_wait(void *arg)
{
	void (*end)(void) = *(void (*const *)(void))arg;

	await_asleep(&waiting_tid);
	pthread_kill(waiting, SIGUSR1);
	await_flag(&handled);
	end();
	return NULL;
}

/* In the child, what it waits for is over. */
START_TEST(a_handler_forks_under_a_wait)
{
	void (*end)(void) = waits[_i % WAITS].end;
	pthread_t interrupter;

	here.kind = (enum child_kind)(_i / WAITS);
	if (!child_possible(here.kind))
		return;
	init_with_handler();
	waits[_i % WAITS].begin();
	interrupter = thread_start(interrupt_wait, &end);
	__atomic_store_n(&waiting_tid, (int)syscall(SYS_gettid), __ATOMIC_RELEASE);
	waits[_i % WAITS].wait();
	if (in_child) {
		must(srcu_barrier(&domain) == 0);
		here.queued = 0;
		live(NULL);
		child_end(here.kind);
	}
	thread_join(interrupter);
	ck_assert(child_ended_well(child));
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
}
END_TEST

int main(void)
{
	TCase *matrix = test_case("matrix"), *slots = test_case("slots"),
	      *inside = test_case("inside");
	TCase *cases[] = {matrix, slots, inside, NULL};

	/* In the child of a process with threads sanitizers' own locks may be held by nobody. */
	if (SANITIZED)
		return run_suite("fork", cases);
	tcase_add_loop_test(matrix, children_live_whatever_the_parent_is_at, 0,
		(int)firsts_count * STATES * CHILD_KINDS);
	tcase_add_loop_test(
		matrix, children_run_their_own_callbacks, 0, (int)firsts_count * STATES);
	tcase_add_test(slots, what_the_slot_counted_before_is_covered);
	tcase_add_test(slots, a_child_frees_a_domain_and_forks);
	tcase_add_test(slots, a_fork_takes_one_slot);
	tcase_add_loop_test(inside, callbacks_fork, 0, 2 * CHILD_KINDS);
	tcase_add_test(inside, a_child_returns_from_a_callback);
	tcase_add_test(inside, nobody_comes_back_to_a_domain_that_a_child_ended);
	tcase_add_loop_test(inside, a_handler_forks_before_a_wait, 0, CHILD_KINDS);
	tcase_add_loop_test(inside, a_handler_forks_under_a_wait, 0, WAITS * CHILD_KINDS);
	return run_suite("fork", cases);
}
