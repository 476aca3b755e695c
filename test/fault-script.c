/* SPDX-License-Identifier: MIT */
/* What fault-script.h declares. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <srcu/notifier.h>
#include <srcu/percpu.h>
#include <srcu/urcu-compat.h>

#include "child.h"
#include "fault-calls.h"
#include "fault-script.h"
#include "fault-shim.h"
#include "hunters.h"

#define SCRIPT_WATCHDOG_S 240

/* Exported for tests, and declared in srcu/internal.h. */
void srcu_stand_for_cpu_(struct srcu_struct *ssp, unsigned int cpu);

/* MANY domains are more than the memory that fewer have needed has room for. */
enum { SOME = 8, MANY = 150, ROUNDS = 60 };

/* A per-CPU object from before the fault, if there is memory then. */
static uint64_t *kept;

/* A fault that does not happen shows nothing. */
static void check_all_failed(void)
{
	for (enum fault_call call = 0; call < FAULT_CALLS; call++)
		if (fault_concerns(call) && !fault_count(call))
			child_failed(__FILE__, __LINE__, fault_name(call));
}

/* Nothing is wrong where a sleep ends by one of these. */
static bool usual_of_sleeps(int error)
{
	return error == EINTR || error == EAGAIN;
}

/* What the script is about to do wrong. */
static const char *misuse = "";

/* What may be reported: that, what fails, and that it takes long. */
static void check_report(const struct srcu_struct *ssp, const char *message)
{
	static const struct {
		enum fault_call call;
		const char *text;
	} allowed[] = {
		{FAULT_FUTEX_WAIT, "futex is refused"},
		{FAULT_FUTEX_WAKE, "futex is refused"},
		{FAULT_MEMBARRIER, "neither membarrier nor sched_setaffinity is allowed"},
		{FAULT_MEMBARRIER, "no barrier is allowed that would show who uses it"},
	};

	(void)ssp;
	if (strstr(message, " has waited ") || (*misuse && strstr(message, misuse)))
		return;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (fault_concerns(allowed[i].call) && strstr(message, allowed[i].text) &&
			!(allowed[i].call == FAULT_FUTEX_WAIT && usual_of_sleeps(fault_error())))
			return;
	child_failed(__FILE__, __LINE__, message);
}

static bool may_lack_memory(void)
{
	return fault_concerns(FAULT_MMAP) || fault_concerns(FAULT_MPROTECT) || forced("nomemory");
}

/* Without it a static domain takes its place. */
static void make_domain(struct srcu_struct *ssp, const struct srcu_options *options)
{
	static const struct srcu_struct fresh = SRCU_STRUCT_INIT_(fresh);
	int error = options ? DIRECT(init_srcu_struct_with)(ssp, options)
			    : DIRECT(init_srcu_struct)(ssp);

	must(!error || (error == -ENOMEM && may_lack_memory()));
	if (error)
		memcpy(ssp, &fresh, sizeof(*ssp));
}

/* Barriers that are refused in a burst may be refused now, not for ever. */
static void end_domain(struct srcu_struct *ssp)
{
	int error;

	while ((error = DIRECT(cleanup_srcu_struct)(ssp)) == -EBUSY &&
		fault_concerns(FAULT_MEMBARRIER))
		sched_yield();
	must(!error);
}

struct handed_over {
	struct srcu_struct *ssp;
	struct srcu_ctr *scp;
	int idx;
};

static void *end_both(void *arg)
{
	const struct handed_over *sections = arg;

	srcu_up_read(sections->ssp, sections->idx);
	VIA(__srcu_read_unlock_fast, srcu_up_read_fast(sections->ssp, sections->scp));
	return NULL;
}

static void use_readers(struct srcu_struct *ssp)
{
	struct handed_over sections = {.ssp = ssp};
	struct srcu_stats stats;
	struct srcu_ctr *scp;
	int idx;

	errno = E2BIG;
	idx = DIRECT(__srcu_read_lock)(ssp);
	scp = DIRECT(__srcu_read_lock_fast)(ssp);
	srcu_read_unlock(ssp, srcu_read_lock(ssp));
	srcu_read_unlock_fast(ssp, srcu_read_lock_fast(ssp));
	must(!DIRECT(srcu_get_stats)(ssp, &stats) && stats.readers == 2);
	DIRECT(__srcu_read_unlock)(ssp, idx);
	__srcu_read_unlock_fast(ssp, scp);
	sections.idx = VIA(__srcu_down_read, srcu_down_read(ssp));
	sections.scp = VIA(__srcu_down_read_fast, srcu_down_read_fast(ssp));
	srcu_up_read(ssp, __srcu_down_read(ssp));
	srcu_up_read_fast(ssp, __srcu_down_read_fast(ssp));
	must(errno == E2BIG);
	thread_join(thread_start(end_both, &sections));
	must(!srcu_get_stats(ssp, &stats) && !stats.readers);
}

static void poll_until_done(struct srcu_struct *ssp, uint64_t cookie)
{
	while (!VIA(__poll_state_synchronize_srcu, poll_state_synchronize_srcu(ssp, cookie)))
		sched_yield();
}

static void use_updaters(struct srcu_struct *ssp)
{
	uint64_t ended = DIRECT(srcu_batches_completed)(ssp), cookie;
	int error;

	VIA(__synchronize_srcu, synchronize_srcu(ssp));
	must(srcu_batches_completed(ssp) > ended);
	VIA(__synchronize_srcu_expedited, synchronize_srcu_expedited(ssp));
	must(!VIA(__synchronize_srcu_timeout, synchronize_srcu_timeout(ssp, UINT64_MAX)));
	error = synchronize_srcu_timeout(ssp, 0);
	must(!error || (error == -ETIMEDOUT && fault_concerns(FAULT_MEMBARRIER)));
	errno = E2BIG;
	cookie = DIRECT(get_state_synchronize_srcu)(ssp);
	must(!poll_state_synchronize_srcu(ssp, cookie));
	cookie = DIRECT(start_poll_synchronize_srcu)(ssp);
	DIRECT(srcu_expedite_current)(ssp);
	poll_until_done(ssp, cookie);
	must(errno == E2BIG);
	VIA(__cond_synchronize_srcu, cond_synchronize_srcu(ssp, cookie));
	cond_synchronize_srcu(ssp, get_state_synchronize_srcu(ssp));
}

/* Callbacks, each of which is to be invoked once. */
static struct callback {
	struct srcu_head head;
	unsigned int invoked;
} callbacks[SOME];

static void invoke(struct srcu_head *head)
{
	struct callback *callback = (struct callback *)head; /* its first member */

	__atomic_fetch_add(&callback->invoked, 1, __ATOMIC_SEQ_CST);
}

static unsigned int invoked(void)
{
	unsigned int sum = 0;

	for (int i = 0; i < SOME; i++)
		sum += __atomic_load_n(&callbacks[i].invoked, __ATOMIC_SEQ_CST);
	return sum;
}

static void queue(struct srcu_struct *ssp)
{
	memset(callbacks, 0, sizeof(callbacks));
	for (int i = 0; i < SOME; i++)
		must(!VIA(__call_srcu, call_srcu(ssp, &callbacks[i].head, invoke)));
}

static void use_callbacks(struct srcu_struct *ssp)
{
	struct srcu_stats stats;
	int error = DIRECT(srcu_start_callbacks)();

	must(!error || (error == -fault_error() && fault_concerns(FAULT_THREADS)));
	queue(ssp);
	must(!VIA(__srcu_barrier, srcu_barrier(ssp)));
	for (int i = 0; i < SOME; i++)
		must(callbacks[i].invoked == 1);
	queue(ssp);
	do {
		DIRECT(srcu_run_callbacks)(ssp, 2);
		sched_yield();
	} while (invoked() < SOME);
	must(!srcu_barrier(ssp) && invoked() == SOME);
	must(!srcu_get_stats(ssp, &stats) && stats.queued == stats.invoked);
}

static void in_child(void *arg)
{
	struct srcu_struct *ssp = arg;

	srcu_read_unlock(ssp, srcu_read_lock(ssp));
	synchronize_srcu(ssp);
	queue(ssp);
	must(!srcu_barrier(ssp) && invoked() == SOME);
}

/* All there is to do with a domain, in a child of fork() too, and its end. */
static void use_domain(struct srcu_struct *ssp, bool with_callbacks)
{
	use_readers(ssp);
	use_updaters(ssp);
	if (with_callbacks) {
		use_callbacks(ssp);
		must(child_succeeds(CHILD_EXITS_AT_ONCE, in_child, ssp));
	}
	end_domain(ssp);
}

static int count_call(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)nb;
	*(unsigned long *)data += action;
	return NOTIFY_OK;
}

static void use_notifiers(void)
{
	struct notifier_block block = {.notifier_call = count_call};
	struct srcu_notifier_head chain = SRCU_NOTIFIER_INIT(chain);
	const struct srcu_notifier_head fresh = chain;
	unsigned long sum = 0;
	int error = DIRECT(srcu_init_notifier_head)(&chain);

	must(!error || (error == -ENOMEM && may_lack_memory()));
	if (error)
		memcpy(&chain, &fresh, sizeof(chain));
	must(!VIA(__srcu_notifier_chain_register, srcu_notifier_chain_register(&chain, &block)));
	must(srcu_notifier_chain_register(&chain, &block) == -EEXIST);
	must(srcu_notifier_call_chain(&chain, 5, &sum) == NOTIFY_OK && sum == 5);
	must(!VIA(
		__srcu_notifier_chain_unregister, srcu_notifier_chain_unregister(&chain, &block)));
	must(srcu_notifier_chain_unregister(&chain, &block) == -ENOENT);
	while ((error = DIRECT(srcu_cleanup_notifier_head)(&chain)) == -EBUSY &&
		fault_concerns(FAULT_MEMBARRIER))
		sched_yield();
	must(!error);
}

static void use_counter(uint64_t *counter)
{
	uint64_t before = DIRECT(percpu_sum)(counter);

	for (int i = 0; i < 100; i++) {
		this_cpu_inc(*counter);
		DIRECT(srcu_this_cpu_add_)(counter, 2);
	}
	must(percpu_sum(counter) == before + 300);
	*DIRECT(srcu_this_cpu_ptr_)(counter) += 1;
	must(percpu_sum(counter) == before + 301);
}

static void use_percpu(void)
{
	unsigned int cpus = DIRECT(nr_possible_cpus)();
	uint64_t *counter;

	must(cpus && cpus == nr_possible_cpus());
	must(VIA(srcu_percpu_mark_, __atomic_load_n(&srcu_percpu_mark_, __ATOMIC_RELAXED)) <= cpus);
	errno = 0;
	counter = VIA(alloc_percpu_size, alloc_percpu(uint64_t));
	must(counter || (errno == ENOMEM && may_lack_memory()));
	if (counter)
		use_counter(counter);
	if (kept)
		use_counter(kept);
	DIRECT(free_percpu)(counter);
}

static void use_debug_mode(void)
{
	FILE *null = fopen("/dev/null", "w");
	struct srcu_struct ssp;
	int idx;

	must(null);
	make_domain(&ssp, NULL);
	idx = srcu_read_lock(&ssp);
	/* What barriers it needs it gets later, if not now. */
	must(!DIRECT(srcu_debug)(&ssp, 60000));
	srcu_read_unlock(&ssp, idx);
	idx = srcu_read_lock(&ssp);
	must(DIRECT(srcu_read_lock_held)(&ssp));
	DIRECT(srcu_dump)(null);
	fclose(null);
	srcu_read_unlock(&ssp, idx);
	DIRECT(srcu_stand_for_cpu_)(&ssp, 0);
	use_domain(&ssp, false);
}

/* By liburcu's names.  The domain is the library's own, and does not end. */
static void use_urcu(void)
{
	rcu_read_lock();
	rcu_read_lock();
	must(VIA(srcu_urcu_offset_, rcu_read_ongoing()));
	must(DIRECT(srcu_urcu_thread_)()->nesting_ == 2);
	rcu_read_unlock();
	rcu_read_unlock();
	must(!rcu_read_ongoing());
	misuse = "without rcu_read_lock";
	VIA(srcu_urcu_unmatched_, rcu_read_unlock());
	misuse = "";
	use_updaters(VIA(srcu_urcu_domain, &srcu_urcu_domain));
}

static const struct srcu_options kinds[] = {
	{.name = "threads"},
	{.name = "caller", .callbacks = SRCU_CALLBACKS_CALLER},
	{.name = "fenced", .readers = SRCU_READERS_FENCED},
	{.name = "classic", .updates = SRCU_UPDATES_CLASSIC},
	{.name = "debug", .debug = true},
};

/* @threads: may threads of the library be started? */
static void use_all(bool threads)
{
	struct srcu_struct ssp, unloaded = SRCU_STRUCT_INIT_(unloaded);

	use_percpu();
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct srcu_options options = kinds[i];

		if (!threads)
			options.callbacks = SRCU_CALLBACKS_CALLER;
		make_domain(&ssp, &options);
		use_domain(&ssp, threads);
	}
	if (!threads)
		return;
	use_notifiers();
	use_debug_mode();
	use_urcu();
	use_readers(&unloaded);
	queue(&unloaded);
	misuse = "dlclose: ";
	DIRECT(srcu_unload_)(&unloaded);
	misuse = "";
	must(invoked() == SOME);
}

/* Domains and objects that there is not memory for yet. */
static void need_more_memory(void)
{
	static struct srcu_struct domains[MANY];
	void *objects[4];

	for (int i = 0; i < MANY; i++) {
		make_domain(
			&domains[i], &(struct srcu_options){.callbacks = SRCU_CALLBACKS_CALLER});
		srcu_read_unlock(&domains[i], srcu_read_lock(&domains[i]));
		synchronize_srcu(&domains[i]);
	}
	for (int i = 0; i < MANY; i++)
		end_domain(&domains[i]);
	for (int i = 0; i < 4; i++) {
		errno = 0;
		objects[i] = alloc_percpu_size(SRCU_PERCPU_MAX, 64);
		must(objects[i] || (errno == ENOMEM && may_lack_memory()));
	}
	for (int i = 0; i < 4; i++)
		free_percpu(objects[i]);
}

static int may_return;

static void block(struct srcu_head *head)
{
	/* A thread that waits otherwise needs futexes. */
	while (!flag_set(&may_return))
		sched_yield();
	invoke(head);
}

/* Callbacks that block are more than the threads that there are yet. */
static void need_more_threads(void)
{
	struct srcu_struct domains[SOME];

	memset(callbacks, 0, sizeof(callbacks));
	for (int i = 0; i < SOME; i++) {
		make_domain(&domains[i], NULL);
		must(!call_srcu(&domains[i], &callbacks[i].head, block));
	}
	while (fault_concerns(FAULT_THREADS) && !fault_count(FAULT_THREADS))
		sched_yield();
	set_flag(&may_return);
	for (int i = 0; i < SOME; i++) {
		must(!srcu_barrier(&domains[i]) && callbacks[i].invoked == 1);
		end_domain(&domains[i]);
	}
}

DEFINE_STATIC_SRCU(hunted);

/*
 * A section that has begun before what it takes to wait for it fails: whoever waits
 * goes on waiting.
 */
static void hold_while_it_begins(void)
{
	/* Long enough to sleep; a clock that is refused goes on by a millisecond at each look. */
	const uint64_t limit_ns = fault_concerns(FAULT_CLOCK) ? 100000000 : 1000000;
	struct srcu_struct ssp;
	uint64_t cookie;
	int idx;

	make_domain(&ssp, &(struct srcu_options){.callbacks = SRCU_CALLBACKS_CALLER});
	idx = srcu_down_read(&ssp);
	fault_begin();
	forget_calls(); /* all of them once more */
	DIRECT(srcu_set_warn_handler)(check_report);
	queue(&ssp);
	cookie = start_poll_synchronize_srcu(&ssp);
	must(synchronize_srcu_timeout(&ssp, limit_ns) == -ETIMEDOUT);
	must(!poll_state_synchronize_srcu(&ssp, cookie));
	must(!srcu_run_callbacks(&ssp, UINT64_MAX));
	misuse = "srcu_barrier() is missing";
	must(cleanup_srcu_struct(&ssp) == -EBUSY);
	misuse = "";
	must(!invoked());
	srcu_up_read(&ssp, idx);
	poll_until_done(&ssp, cookie);
	must(!srcu_barrier(&ssp) && invoked() == SOME);
	end_domain(&ssp);
}

void fault_script(const char *map)
{
	bool sleepers_are_lost = fault_concerns(FAULT_FUTEX_WAKE);

	alarm(SCRIPT_WATCHDOG_S);
	srcu_set_warn_handler(check_report);
	kept = alloc_percpu(uint64_t);
	hunters_start(&hunted);
	use_all(!sleepers_are_lost);
	assert_no_section_is_missed(&hunted, ROUNDS);
	hold_while_it_begins();
	assert_no_section_is_missed(&hunted, ROUNDS);
	use_all(true);
	need_more_memory();
	need_more_threads();
	hunters_stop();
	end_domain(&hunted);
	check_all_called(map, kept);
	check_all_failed();
	free_percpu(kept);
}
