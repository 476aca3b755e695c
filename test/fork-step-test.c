/* SPDX-License-Identifier: MIT */
/*
 * fork() between any two instructions of the library.  The trap flag delivers
 * SIGTRAP after each instruction of one thread.  Either another thread forks
 * then, so that the child has what a thread that is not there had begun; or the
 * handler does, so that the child goes on with it.  In both, each callback is
 * invoked once: in the child those that had not begun.
 *
 * White box: opens srcu/internal.h for the flags of a domain.
 */
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/auxv.h>
#include <ucontext.h>
#include <unistd.h>

#include "child.h"
#include "items.h"
#include "srcu/internal.h"

#define TRAP_FLAG 0x100
#define CALLBACKS 9

static struct srcu_struct domain;

static struct stepped {
	struct srcu_head head;
	unsigned int begun;
} items[CALLBACKS];

static void begin(struct srcu_head *head)
{
	__atomic_fetch_add(&((struct stepped *)(void *)head)->begun, 1, __ATOMIC_RELAXED);
}

static unsigned int begun(int i)
{
	return __atomic_load_n(&items[i].begun, __ATOMIC_RELAXED);
}

static inline void trap_on(void)
{
	__asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static inline void trap_off(void)
{
	__asm__ __volatile__("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static void (*act)(void);
static long steps;
static bool in_child;

/* The kernel's clock is read until it has not ticked meanwhile: with forks in between, for ever. */
static bool reads_the_clock(const ucontext_t *interrupted)
{
	uintptr_t at = (uintptr_t)interrupted->uc_mcontext.gregs[REG_RIP];

	return at - getauxval(AT_SYSINFO_EHDR) < 16384;
}

/* Only a handler of what the thread itself does comes here, as this one. */
static bool keeps_handlers_out(const ucontext_t *interrupted)
{
	return sigismember(&interrupted->uc_sigmask, SIGUSR1);
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)signal;
	(void)info;
	steps++;
	if (!reads_the_clock(interrupted) && !keeps_handlers_out(interrupted))
		act();
	if (in_child)
		interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void do_nothing(void)
{
}

static void queue(int from, int to)
{
	while (from < to)
		ck_assert_int_eq(call_srcu(&domain, &items[from++].head, begin), 0);
}

/* A restartable sequence does not get through under the trap flag. */
static void queue_without_lists(int from, int to)
{
	act = do_nothing;
	trap_on();
	queue(from, to);
	trap_off();
}

static void tear_down(void)
{
	ck_assert_int_gt(steps, 50);
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	for (int i = 0; i < CALLBACKS; i++)
		ck_assert_uint_eq(begun(i), 1);
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	ck_assert_uint_eq(warnings(), 0);
}

static void run_callbacks(void)
{
	for (int i = 0; i < 4; i++)
		srcu_run_callbacks(&domain, 4);
}

static void wait_for_callbacks(void)
{
	srcu_barrier(&domain);
}

static void wait_for_readers(void)
{
	synchronize_srcu(&domain);
}

static void read_twice(void)
{
	int idx = __srcu_read_lock(&domain);
	struct srcu_ctr *ctr = __srcu_read_lock_fast(&domain);

	__srcu_read_unlock(&domain, idx);
	__srcu_read_unlock_fast(&domain, ctr);
}

static void poll(void)
{
	uint64_t cookie = start_poll_synchronize_srcu(&domain);

	poll_state_synchronize_srcu(&domain, cookie);
}

static struct stepped late;

static void queue_late(void)
{
	call_srcu(&domain, &late.head, begin);
}

static void (*const operations[])(void) = {
	run_callbacks, wait_for_callbacks, wait_for_readers, read_twice, poll, queue_late};

#define OPERATIONS ((int)(sizeof(operations) / sizeof(operations[0])))

static void handle_steps(void)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

	warnings_collect();
	sigaction(SIGTRAP, &action, NULL);
}

/* Callbacks in each of the places where they can be. */
static void set_up(void)
{
	int idx;

	handle_steps();
	init_domain(&domain, SRCU_CALLBACKS_CALLER);
	/* A static one is of the other mode, and waiting would start a thread for it. */
	domain.flags_ |= DOMAIN_CALLER;
	domain.active_ = DOMAIN_ACTIVE;
	/* Once beforehand: the dynamic linker is not what is stepped through. */
	queue_without_lists(0, CALLBACKS);
	for (int i = 0; i < OPERATIONS; i++)
		operations[i]();
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	for (int i = 0; i < CALLBACKS; i++)
		items[i].begun = 0;
	idx = srcu_read_lock(&domain);
	queue(0, 2);
	ck_assert_uint_eq(srcu_run_callbacks(&domain, 1), 0);
	queue(2, 4);
	ck_assert_uint_eq(srcu_run_callbacks(&domain, 1), 0);
	queue(4, 6);
	queue_without_lists(6, CALLBACKS);
	srcu_read_unlock(&domain, idx);
	steps = 0;
}

/* What is as everywhere, whatever was under way. */
static void live_and_clean_up(void)
{
	uint64_t cookie = start_poll_synchronize_srcu(&domain);
	int idx;

	while (!poll_state_synchronize_srcu(&domain, cookie))
		sched_yield();
	idx = srcu_read_lock(&domain);
	must(synchronize_srcu_timeout(&domain, 0) != 0);
	srcu_read_unlock(&domain, idx);
	synchronize_srcu(&domain);
	must(srcu_barrier(&domain) == 0);
	must(cleanup_srcu_struct(&domain) == 0);
	must(warnings() == 0);
}

/* In a child without the thread that was stepped: that may have had one callback in hand. */
static void go_on_without(void *arg)
{
	unsigned int in_hand = 0;
	bool had_invoker = __atomic_load_n(&domain.invoker_, __ATOMIC_RELAXED);

	(void)arg;
	must(srcu_barrier(&domain) == 0);
	for (int i = 0; i < CALLBACKS; i++) {
		must(begun(i) <= 1);
		in_hand += !begun(i);
	}
	must(in_hand <= had_invoker);
	/* All heads are free again, also those that the thread had in hand. */
	queue_late();
	queue(0, CALLBACKS);
	live_and_clean_up();
	for (int i = 0; i < CALLBACKS; i++)
		must(begun(i) >= 1);
}

static int finished;
static sem_t stopped, may_go_on;

static uint64_t sum_of(uint64_t sum, const void *memory, size_t size)
{
	const uint64_t *word = memory;

	for (size_t i = 0; i < size / sizeof(*word); i++)
		sum = (sum ^ word[i]) * 0x100000001b3u;
	return sum;
}

/* The domain, the callbacks and their lists: two of 32 bytes on each CPU. */
static uint64_t state(void)
{
	uint64_t sum = sum_of(sum_of(0, &domain, sizeof(domain)), items, sizeof(items));

	for (uintptr_t cpu = 0; cpu < domain.lists_mark_; cpu++)
		sum = sum_of(sum,
			(const void *)((domain.lists_ & ~(uintptr_t)63) + cpu * SRCU_PERCPU_STRIDE),
			64);
	return sum;
}

/* What another thread's child finds depends on what has been stored alone. */
static void stop(void)
{
	static uint64_t last;
	uint64_t now = state();

	if (now == last)
		return;
	last = now;
	sem_post(&stopped);
	sem_wait(&may_go_on);
}

static void *step_through(void *arg)
{
	void (*const *operation)(void) = arg;

	trap_on();
	(*operation)();
	trap_off();
	act = do_nothing;
	set_flag(&finished);
	sem_post(&stopped);
	return NULL;
}

static void fork_at_any_store_of(void (*operation)(void), void (*go_on)(void *))
{
	unsigned int forks = 0;
	pthread_t thread;

	act = stop;
	thread = thread_start(step_through, &operation);
	for (;; forks++) {
		sem_wait(&stopped);
		if (flag_set(&finished))
			break;
		ck_assert(child_succeeds(CHILD_EXITS_AT_ONCE, go_on, NULL));
		sem_post(&may_go_on);
	}
	ck_assert_uint_gt(forks, 0);
	thread_join(thread);
}

START_TEST(another_thread_forks_at_any_store)
{
	set_up();
	fork_at_any_store_of(operations[_i], go_on_without);
	tear_down();
}
END_TEST

/* In a child: nobody asks for a grace period any more, and the callback comes none the less. */
static void only_run_callbacks(void *arg)
{
	bool had_invoker = __atomic_load_n(&domain.invoker_, __ATOMIC_RELAXED);

	(void)arg;
	run_callbacks();
	must(late.begun || had_invoker);
	live_and_clean_up();
}

START_TEST(another_thread_forks_as_it_asks_for_a_grace_period)
{
	set_up();
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	late.begun = 0;
	queue_late();
	fork_at_any_store_of(run_callbacks, only_run_callbacks);
	ck_assert_uint_eq(late.begun, 1);
	tear_down();
}
END_TEST

static void fork_here(void)
{
	pid_t pid = child_make(CHILD_EXITS_AT_ONCE);

	if (!pid)
		in_child = true;
	else
		ck_assert(child_ended_well(pid));
}

START_TEST(the_thread_itself_forks_at_any_instruction)
{
	set_up();
	act = fork_here;
	trap_on();
	operations[_i]();
	trap_off();
	act = do_nothing;
	if (in_child) {
		live_and_clean_up();
		for (int i = 0; i < CALLBACKS; i++)
			must(begun(i) == 1);
		child_end(CHILD_EXITS_AT_ONCE);
	}
	tear_down();
}
END_TEST

static void fork_at_each_stop(struct srcu_head *head)
{
	(void)head;
	for (;;) {
		sem_wait(&stopped);
		if (flag_set(&finished))
			return;
		fork_here();
		if (in_child)
			return;
		sem_post(&may_go_on);
	}
}

/* The child comes back from the callback, and has none of the other thread's. */
START_TEST(a_callback_forks_at_any_store_of_another_thread)
{
	void (*operation)(void) = queue_late;
	static struct srcu_head head;
	pthread_t thread;

	set_up();
	ck_assert_int_eq(srcu_barrier(&domain), 0);
	ck_assert_int_eq(call_srcu(&domain, &head, fork_at_each_stop), 0);
	act = stop;
	/* Begun beforehand, for the thread to be stepped while the callback runs. */
	thread = thread_start(step_through, &operation);
	ck_assert_uint_ge(srcu_run_callbacks(&domain, 1), 1);
	if (in_child) {
		must(srcu_barrier(&domain) == 0);
		live_and_clean_up();
		child_end(CHILD_EXITS_AT_ONCE);
	}
	thread_join(thread);
	tear_down();
}
END_TEST

/* Two that are static: there is no thread, and they wait for it. */
static struct srcu_struct other;

static void init_both(void)
{
	init_static_domain(&domain);
	init_static_domain(&other);
	steps = 0;
}

static struct stepped last[2];

/* The thread comes by each domain, and comes to rest. */
static void threads_serve(void)
{
	must(srcu_start_callbacks() == 0);
	must(call_srcu(&domain, &last[0].head, begin) == 0);
	must(call_srcu(&other, &last[1].head, begin) == 0);
	for (int i = 0; i < 2; i++)
		while (!__atomic_load_n(&last[i].begun, __ATOMIC_ACQUIRE))
			sched_yield();
	must(srcu_barrier(&domain) == 0 && srcu_barrier(&other) == 0);
	must(cleanup_srcu_struct(&domain) == 0);
	must(cleanup_srcu_struct(&other) == 0);
	must(warnings() == 0);
}

static void queue_other(void)
{
	call_srcu(&other, &items[0].head, begin);
}

/* Both are on the way to the thread, which the callbacks do not wait for. */
static void queue_both_and_wait(void)
{
	queue_late();
	queue_other();
	srcu_barrier(&domain);
}

static void clean_up(void)
{
	must(cleanup_srcu_struct(&domain) == 0);
}

static const struct {
	void (*prepare)(void);
	void (*operation)(void);
} tellings[] = {
	{do_nothing, queue_late}, {queue_other, queue_late}, {queue_both_and_wait, clean_up}};

#define TELLINGS ((int)(sizeof(tellings) / sizeof(tellings[0])))

/* A handler forks as the library's thread is told of a domain, or not any more. */
START_TEST(the_thread_itself_forks_as_it_tells_the_librarys)
{
	handle_steps();
	/* Once beforehand: the dynamic linker is not what is stepped through. */
	init_both();
	queue_both_and_wait();
	clean_up();
	srcu_barrier(&other);
	must(cleanup_srcu_struct(&other) == 0);
	init_both();
	tellings[_i].prepare();
	act = fork_here;
	trap_on();
	tellings[_i].operation();
	trap_off();
	act = do_nothing;
	must(in_child || steps > 50);
	if (tellings[_i].operation == clean_up)
		init_static_domain(&domain);
	threads_serve();
	if (in_child)
		child_end(CHILD_EXITS_AT_ONCE);
}
END_TEST

int main(void)
{
	TCase *steps_case = test_case("single steps");
	TCase *cases[] = {steps_case, NULL};

	if (!SANITIZED) {
		tcase_add_loop_test(steps_case, another_thread_forks_at_any_store, 0, OPERATIONS);
		tcase_add_test(steps_case, another_thread_forks_as_it_asks_for_a_grace_period);
		tcase_add_loop_test(
			steps_case, the_thread_itself_forks_at_any_instruction, 0, OPERATIONS);
		tcase_add_test(steps_case, a_callback_forks_at_any_store_of_another_thread);
		tcase_add_loop_test(
			steps_case, the_thread_itself_forks_as_it_tells_the_librarys, 0, TELLINGS);
	}
	return run_suite("fork, step by step", cases);
}
