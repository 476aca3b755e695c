/* SPDX-License-Identifier: MIT */
/*
 * What goes on around readers and updaters: signals and timers, threads and domains
 * that come and go, changes of CPU, forks.
 */
#include "torture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIGNAL_KICK  SIGRTMIN
#define SIGNAL_TIMER (SIGRTMIN + 1)

#define THREADS_OF_A_STEP 8
#define CHILD_SECONDS     30

__thread struct worker *self;

static uint64_t sections_of_others;

/* Once on a per-CPU counter and once on the thread's own. */
void section_counted(void)
{
	tally_up(COUNT_SECTIONS);
	if (!self)
		__atomic_fetch_add(&sections_of_others, 1, __ATOMIC_RELAXED);
	else if (self->in_handler)
		self->handler_sections++;
	else
		self->sections++;
}

/* All threads have stopped: how many sections were there? */
void sections_check(void)
{
	uint64_t sum = __atomic_load_n(&sections_of_others, __ATOMIC_RELAXED);

	for (unsigned int i = 0; i < nr_workers; i++)
		sum += workers[i].sections + workers[i].handler_sections;
	__atomic_store_n(&sections_of_others, sum, __ATOMIC_RELAXED);
	if (sum != tallied(COUNT_SECTIONS))
		failed(CHECK_SUMS, "a per-CPU counter is not what was counted",
			tallied(COUNT_SECTIONS));
}

static void handler_called(struct srcu_head *head)
{
	struct handler_head *handler_head = (struct handler_head *)head;

	if (in_child)
		return;
	arena_invoked(handler_head->arena);
	__atomic_store_n(&handler_head->busy, 0, __ATOMIC_RELEASE);
}

static void call_from_handler(struct worker *worker, struct arena *arena)
{
	uint64_t i = random_below(&worker->handler_random, HANDLER_HEADS);
	struct handler_head *handler_head = &worker->heads[i];

	if (__atomic_load_n(&handler_head->busy, __ATOMIC_ACQUIRE))
		return;
	__atomic_store_n(&handler_head->busy, 1, __ATOMIC_RELAXED);
	handler_head->arena = arena;
	arena_call(arena, &handler_head->head, handler_called);
}

static void handle(struct worker *worker)
{
	uint64_t what = random_below(&worker->handler_random, 16);
	struct arena *arena = random_arena(&worker->handler_random);
	struct section section;

	section_begin(
		&section, arena, (enum family)random_below(&worker->handler_random, NR_FAMILIES));
	if (what < 4)
		call_from_handler(worker, arena);
	if (what == 4) {
		section.cookie = start_poll_synchronize_srcu(arena->ssp);
		section.has_cookie = true;
	}
	spin(random_below(&worker->handler_random, 200));
	if (what < 8 && section.family >= DOWN && worker->job->leaves && !round_over()) {
		parcel_send(&section, worker->slot);
		/* Whoever was interrupted finds it ended, elsewhere. */
		spin(4000);
	} else {
		section_end(&section, worker->slot);
	}
	if (what > 12)
		parcel_end_one(&worker->handler_random, worker->slot);
}

/*
 * The next signal of a kind comes only when the one before has been handled: however
 * slow the handlers are, what they interrupt goes on.
 */
static void let_next_come(int signal)
{
	if (signal == SIGNAL_KICK)
		__atomic_store_n(&self->kicked, 0, __ATOMIC_RELAXED);
	else if (timer_settime(self->timer, 0, &self->timer_after, NULL))
		failed(CHECK_RETURN, "a timer cannot be set again", (uint64_t)errno);
}

static void interrupted(int signal)
{
	int saved_errno = errno;

	if (!self)
		return;
	self->in_handler = true;
	errno = EDOM;
	handle(self);
	tally_up(signal == SIGNAL_TIMER ? COUNT_TIMERS : COUNT_KICKS);
	if (errno != EDOM)
		failed(CHECK_RETURN, "errno was not kept in a handler", (uint64_t)errno);
	let_next_come(signal);
	self->in_handler = false;
	errno = saved_errno;
}

static void mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGNAL_KICK);
	sigaddset(&set, SIGNAL_TIMER);
	pthread_sigmask(how, &set, NULL);
}

void signals_begin(void)
{
	struct sigaction action = {.sa_handler = interrupted, .sa_flags = SA_RESTART};

	mask(SIG_BLOCK);
	sigfillset(&action.sa_mask);
	sigaction(SIGNAL_KICK, &action, NULL);
	sigaction(SIGNAL_TIMER, &action, NULL);
}

/* Said once of each: there is less of it than there might be. */
static void note_refused(const char *what, bool *noted)
{
	int error = errno;

	if (!__atomic_exchange_n(noted, true, __ATOMIC_RELAXED))
		fprintf(stderr, "srcutorture: %s is refused: %s\n", what, strerror(error));
}

static void timer_begin(struct worker *worker)
{
	static bool noted;
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGNAL_TIMER};
	uint64_t most = worker->job->timer_ns;

	event._sigev_un._tid = gettid();
	worker->timer_after.it_value.tv_nsec =
		(long)(most / 2 + random_below(&worker->random, most / 2));
	if (timer_create(CLOCK_MONOTONIC, &event, &worker->timer)) {
		note_refused("a timer", &noted);
		return;
	}
	worker->has_timer = true;
	if (timer_settime(worker->timer, 0, &worker->timer_after, NULL))
		die(errno, "cannot set a timer");
}

void worker_signals(struct worker *worker, bool on)
{
	if (on) {
		self = worker;
		if (worker->job->timer_ns)
			timer_begin(worker);
		mask(SIG_UNBLOCK);
		return;
	}
	mask(SIG_BLOCK);
	if (worker->has_timer)
		timer_delete(worker->timer);
}

static void interrupt_someone(struct worker *worker)
{
	for (unsigned int i = 0; i < 16; i++) {
		struct worker *target = &workers[random_below(&worker->random, nr_workers)];

		if (!__atomic_exchange_n(&target->kicked, 1, __ATOMIC_RELAXED))
			pthread_kill(target->thread, SIGNAL_KICK);
	}
	nap_ns(NS_PER_US * random_below(&worker->random, 500));
}

const struct job signaller = {"signaller", interrupt_someone, NULL, 0, false};

static cpu_set_t allowed;

__attribute__((constructor)) static void note_allowed(void)
{
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		CPU_ZERO(&allowed);
}

static size_t random_cpu(uint64_t *random)
{
	uint64_t skip = random_below(random, (uint64_t)CPU_COUNT(&allowed));
	size_t cpu = 0;

	while (!CPU_ISSET(cpu, &allowed) || skip--)
		cpu++;
	return cpu;
}

static void let_someone_run(struct worker *worker, const cpu_set_t *set)
{
	pthread_t thread = workers[random_below(&worker->random, nr_workers)].thread;

	if (!pthread_setaffinity_np(thread, sizeof(*set), set))
		tally_up(COUNT_SHUFFLES);
}

/* A thread is moved to a CPU... */
static void move_someone(struct worker *worker)
{
	cpu_set_t set;

	if (CPU_COUNT(&allowed) <= 1)
		return;
	CPU_ZERO(&set);
	CPU_SET(random_cpu(&worker->random), &set);
	let_someone_run(worker, &set);
}

const struct job mover = {"mover", move_someone, NULL, 0, false};

/* ...or may run on all again. */
static void shuffle(struct worker *worker)
{
	if (random_below(&worker->random, 2))
		move_someone(worker);
	else if (CPU_COUNT(&allowed) > 1)
		let_someone_run(worker, &allowed);
	nap_ns(NS_PER_MS);
}

const struct job shuffler = {"shuffler", shuffle, NULL, 0, false};

struct freed_item {
	struct srcu_head head;
	struct arena *arena;
};

static void free_item(struct srcu_head *head)
{
	struct freed_item *item = (struct freed_item *)head;

	if (in_child)
		return;
	arena_invoked(item->arena);
	free(item);
}

/* A thread that ends right after a section, and may leave another one to others. */
static void *read_and_exit(void *argument)
{
	uint64_t random = (uint64_t)(uintptr_t)argument;
	struct arena *arena = random_arena(&random);
	struct freed_item *item = malloc(sizeof(*item));
	struct section section, other;

	if (item) {
		item->arena = arena;
		arena_call(arena, &item->head, free_item);
	}
	section_begin(&other, arena, DOWN);
	section_begin(&section, arena, (enum family)random_below(&random, NR_FAMILIES));
	dawdle(&random);
	parcel_send(&other, MAX_WORKERS - 1);
	section_end(&section, MAX_WORKERS - 1);
	return NULL;
}

static void churn_threads(struct worker *worker)
{
	pthread_t threads[THREADS_OF_A_STEP];
	unsigned int n = 0;

	while (n < THREADS_OF_A_STEP && !pthread_create(&threads[n], NULL, read_and_exit,
						(void *)(uintptr_t)random_next(&worker->random)))
		n++;
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		tally_up(COUNT_THREADS);
	}
	parcels_end(worker);
	nap_ns(5 * NS_PER_MS);
}

const struct job thread_churner = {"thread churn", churn_threads, NULL, 0, false};

static void count_one(struct srcu_head *head)
{
	(void)head;
}

struct short_lived {
	struct srcu_struct domain;
	struct srcu_head heads[4];
};

static void use_for_a_while(struct worker *worker, struct short_lived *it)
{
	struct srcu_struct *ssp = &it->domain;
	uint64_t cookie;
	int idx = srcu_read_lock(ssp);

	for (size_t i = 0; i < ARRAY_SIZE(it->heads); i++)
		if (call_srcu(ssp, &it->heads[i], count_one))
			failed(CHECK_RETURN, "call_srcu() did not take a callback", i);
	cookie = start_poll_synchronize_srcu(ssp);
	if (poll_state_synchronize_srcu(ssp, cookie))
		failed(CHECK_COOKIE, "a cookie from a section was done in the section", cookie);
	dawdle(&worker->random);
	srcu_read_unlock(ssp, idx);
	while (!poll_state_synchronize_srcu(ssp, cookie))
		sched_yield();
	if (srcu_barrier(ssp))
		failed(CHECK_RETURN, "srcu_barrier() failed", 0);
}

/* The memory of a domain that is gone has other uses. */
static void churn_domains(struct worker *worker)
{
	struct short_lived *it = zalloc_lines(sizeof(*it));
	struct srcu_options options;
	int error = 0;

	random_domain(&options, &worker->random);
	if (!init_srcu_struct_with(&it->domain, &options)) {
		use_for_a_while(worker, it);
		error = cleanup_srcu_struct(&it->domain);
		tally_up(COUNT_DOMAINS);
	}
	if (error) {
		/* It is in use, and stays so. */
		failed(CHECK_RETURN, "cleanup_srcu_struct() failed on an idle domain",
			(uint64_t)-error);
		return;
	}
	memset(it, 0xa5, sizeof(*it));
	free(it);
	nap_ns(NS_PER_US * random_below(&worker->random, 2000));
}

const struct job domain_churner = {"domain churn", churn_domains, NULL, 0, false};

static int child_invoked;

static void note_in_child(struct srcu_head *head)
{
	(void)head;
	__atomic_store_n(&child_invoked, 1, __ATOMIC_RELAXED);
}

/* The number of what went wrong, or 0.  Nothing here takes a lock of the C library's. */
static int child_uses(struct srcu_struct *ssp)
{
	static struct srcu_head head;
	struct srcu_stats stats = {0};
	uint64_t cookie;
	int idx = srcu_read_lock(ssp), error;

	cookie = get_state_synchronize_srcu(ssp);
	error = synchronize_srcu_timeout(ssp, 0);
	if (error != -ETIMEDOUT || poll_state_synchronize_srcu(ssp, cookie))
		return 2;
	srcu_read_unlock(ssp, idx);
	synchronize_srcu(ssp);
	if (!poll_state_synchronize_srcu(ssp, cookie))
		return 3;
	child_invoked = 0;
	if (call_srcu(ssp, &head, note_in_child) || srcu_barrier(ssp) || !child_invoked)
		return 4;
	if (srcu_get_stats(ssp, &stats) || stats.readers || stats.queued != stats.invoked)
		return 5;
	return 0;
}

static void child(void)
{
	int status = 0;

	in_child = true;
	alarm(CHILD_SECONDS);
	for (unsigned int i = 0; i < nr_arenas && !status; i++)
		status = child_uses(arenas[i]->ssp);
	_exit(status);
}

static void fork_one(struct worker *worker)
{
	static bool noted;
	pid_t pid;
	int status = -1;

	/* The handler would find the parent's workers. */
	mask(SIG_BLOCK);
	pid = fork();
	if (!pid)
		child();
	if (pid < 0 && (errno == EAGAIN || errno == ENOMEM))
		note_refused("fork()", &noted);
	else if (pid < 0)
		failed(CHECK_FORK, "fork() failed", (uint64_t)errno);
	mask(SIG_UNBLOCK);
	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (status)
			failed(CHECK_FORK, "a child ended with this wait status", (uint64_t)status);
		tally_up(COUNT_FORKS);
	}
	nap_ns(NS_PER_MS * (10 + random_below(&worker->random, 40)));
}

const struct job forker = {"fork", fork_one, NULL, 0, false};
