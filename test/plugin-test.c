/* SPDX-License-Identifier: MIT */
/*
 * Objects that are loaded and unloaded: their readers leave nothing behind that the
 * kernel would look at, their static domains leave nothing behind in the library,
 * and their readers, out of line, count with the inline ones of others.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "plugin.h"

#define PLUGIN        PLUGINS "/plugin.so"
#define PLUGIN_INLINE PLUGINS "/plugin-inline.so"
#define SLOT          (~(uintptr_t)31)

static const uint64_t one = 1;
static const uint64_t *const ones = &one;

static struct plugin *load(void **handle, const char *path)
{
	struct plugin *plugin;

	*handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(*handle, "%s", dlerror());
	plugin = dlsym(*handle, "plugin");
	ck_assert_ptr_nonnull(plugin);
	return plugin;
}

static void unload(void *handle, const char *path)
{
	ck_assert_int_eq(dlclose(handle), 0);
	ck_assert_ptr_null(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
}

/* The slot that the next domain gets. */
static uintptr_t next_slot(void)
{
	struct srcu_struct domain;
	uintptr_t slot;

	ck_assert_int_eq(init_srcu_struct(&domain), 0);
	slot = domain.word_ & SLOT;
	ck_assert_int_eq(cleanup_srcu_struct(&domain), 0);
	return slot;
}

DEFINE_STATIC_SRCU(own_domain);
static int stop;

static void *burn(void *arg)
{
	while (!flag_set(&stop))
		;
	return arg;
}

static long preemptions(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage.ru_nivcsw;
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static void set_alarms(suseconds_t interval_us)
{
	struct itimerval timer = {{0, interval_us}, {0, interval_us}};

	ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/*
 * More threads that run than there are CPUs, so that this one is preempted.  Between
 * the last section and the end of the object it hardly is, and then the kernel has
 * not looked at what the sequence left for it yet.
 */
START_TEST(the_kernel_finds_nothing_of_an_unloaded_object)
{
	struct sigaction action = {.sa_flags = SA_RESTART};
	unsigned int n = cpus_allowed() + 2;
	pthread_t *threads = calloc(n, sizeof(*threads));

	ck_assert_ptr_nonnull(threads);
	action.sa_handler = count_alarm;
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	for (unsigned int i = 0; i < n; i++)
		threads[i] = thread_start(burn, NULL);
	for (int round = 0; round < 40; round++) {
		struct plugin *plugin;
		sig_atomic_t seen;
		void *handle;
		long before;

		plugin = load(&handle, PLUGIN);
		plugin->read(plugin->domain, &ones, 10);
		ck_assert_uint_eq(plugin->read(&own_domain, &ones, 10), 20);
		unload(handle, PLUGIN);
		before = preemptions();
		seen = alarms;
		set_alarms(1000);
		while (round % 2 ? alarms == seen : preemptions() == before)
			;
		set_alarms(0);
	}
	set_flag(&stop);
	for (unsigned int i = 0; i < n; i++)
		thread_join(threads[i]);
	free(threads);
	ck_assert_int_eq(cleanup_srcu_struct(&own_domain), 0);
}
END_TEST

START_TEST(its_domains_give_back_what_they_hold)
{
	uint64_t unloaded = 0, count = 0;
	uintptr_t slot = next_slot(), used;
	struct plugin *plugin;
	void *handle;

	warnings_collect();
	plugin = load(&handle, PLUGIN);
	plugin->unloaded = &unloaded;
	ck_assert_uint_eq(plugin->read(plugin->domain, &ones, 1), 2);
	used = plugin->domain->word_ & SLOT;
	ck_assert_uint_eq(plugin->read(plugin->local_domain, &ones, 1), 2);
	ck_assert_uint_eq(plugin->read(plugin->chain_domain, &ones, 1), 2);
	ck_assert_int_eq(plugin->retire(plugin->domain, &count), 0);
	ck_assert_int_eq(srcu_barrier(plugin->domain), 0);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(used, slot);
	ck_assert_uint_ne(next_slot(), slot);
	unload(handle, PLUGIN);
	ck_assert_uint_eq(unloaded, 1);
	ck_assert_uint_eq(next_slot(), slot);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

static void fork_and_use(void)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (!child) {
		synchronize_srcu(&own_domain);
		_exit(cleanup_srcu_struct(&own_domain) ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

START_TEST(a_fork_does_not_look_for_them)
{
	struct plugin *plugin;
	void *handle;

	plugin = load(&handle, PLUGIN);
	plugin->read(plugin->domain, &ones, 1);
	plugin->read(plugin->local_domain, &ones, 1);
	unload(handle, PLUGIN);
	fork_and_use();
}
END_TEST

START_TEST(a_domain_not_used_costs_nothing)
{
	uintptr_t slot = next_slot();
	struct plugin *plugin;
	void *handle;

	warnings_collect();
	plugin = load(&handle, PLUGIN);
	ck_assert_uint_eq(next_slot(), slot);
	ck_assert_uint_eq(plugin->domain->word_, SRCU_WORD_UNINIT_);
	unload(handle, PLUGIN);
	ck_assert_uint_eq(warnings(), 0);
	ck_assert_uint_eq(next_slot(), slot);
}
END_TEST

START_TEST(a_domain_that_was_cleaned_up_is_left_alone)
{
	struct plugin *plugin;
	void *handle;

	warnings_collect();
	plugin = load(&handle, PLUGIN);
	plugin->read(plugin->domain, &ones, 1);
	ck_assert_int_eq(cleanup_srcu_struct(plugin->domain), 0);
	unload(handle, PLUGIN);
	ck_assert_uint_eq(warnings(), 0);
}
END_TEST

/* Nobody starts a thread for callbacks here, so that they are still there. */
START_TEST(callbacks_left_are_reported_and_waited_for)
{
	struct plugin *plugin;
	uint64_t count = 0;
	void *handle;

	warnings_collect();
	plugin = load(&handle, PLUGIN);
	ck_assert_int_eq(plugin->retire(plugin->local_domain, &count), 0);
	unload(handle, PLUGIN);
	ck_assert_uint_eq(count, 1);
	ck_assert_uint_eq(warnings(), 1);
	ck_assert(warned_of("1 callback(s) have not returned"));
	fork_and_use();
}
END_TEST

static void *handle_to_close;

/* The process goes on, but not in this thread: its way back leads through the domain. */
static void unload_and_stay(struct srcu_head *head)
{
	(void)head;
	unload(handle_to_close, PLUGIN);
	if (warnings() != 1 || !warned_of("dlclose: in a callback of the domain: "))
		_exit(1);
	fork_and_use();
	_exit(0);
}

START_TEST(a_callback_that_unloads_its_domain_is_reported)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (!child) {
		struct srcu_head head;
		struct plugin *plugin;

		warnings_collect();
		plugin = load(&handle_to_close, PLUGIN);
		call_srcu(plugin->local_domain, &head, unload_and_stay);
		srcu_barrier(plugin->local_domain);
		_exit(2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(readers_left_are_reported)
{
	struct plugin *plugin;
	uintptr_t slot;
	void *handle;

	warnings_collect();
	plugin = load(&handle, PLUGIN);
	srcu_read_lock_fast(plugin->domain);
	slot = plugin->domain->word_ & SLOT;
	unload(handle, PLUGIN);
	ck_assert_uint_eq(warnings(), 1);
	ck_assert(warned_of("1 reader(s) inside"));
	ck_assert(forced("nomemory") || next_slot() != slot);
	fork_and_use();
}
END_TEST

/* The domain is not dumped any more either, now that its memory is gone. */
START_TEST(readers_left_in_debug_mode_are_named)
{
	char text[4096] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");
	struct plugin *plugin;
	void *handle;

	ck_assert_ptr_nonnull(to);
	warnings_collect();
	plugin = load(&handle, PLUGIN);
	ck_assert_int_eq(srcu_debug(plugin->domain, 0), 0);
	srcu_read_lock_fast(plugin->domain);
	unload(handle, PLUGIN);
	ck_assert_uint_eq(warnings(), 1);
	ck_assert(warned_of("1 reader(s) inside; thread "));
	ck_assert(warned_of("srcu_read_lock_fast at "));
	ck_assert(warned_of(", at plugin.so+"));
	srcu_dump(to);
	fclose(to);
	ck_assert_ptr_null(strstr(text, "plugin_domain"));
}
END_TEST

static void complain(const struct srcu_struct *ssp, const char *message)
{
	(void)ssp;
	fputs(message, stderr);
	_exit(3);
}

/* Sections and callbacks of threads that go on until the end are not the object's fault. */
START_TEST(exit_is_not_unloading)
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (!child) {
		static uint64_t count;
		struct plugin *plugin;
		void *handle;

		srcu_set_warn_handler(complain);
		plugin = load(&handle, PLUGIN);
		synchronize_srcu(plugin->local_domain);
		srcu_read_lock_fast(plugin->domain);
		srcu_read_lock_fast(plugin->local_domain);
		plugin->retire(plugin->local_domain, &count);
		exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* Readers of three kinds in one domain, under an updater that spoils what it replaces. */
#define SECTIONS 200000u
#define STEP     100u

static struct srcu_struct shared;
static const uint64_t *current;
static uint64_t spoilt;
static unsigned int reading;

typedef uint64_t read_fn(struct srcu_struct *ssp, const uint64_t *const *where, unsigned int n);

static uint64_t read_inline(struct srcu_struct *ssp, const uint64_t *const *where, unsigned int n)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < n; i++) {
		srcu_guard(ssp);
		sum += *srcu_dereference(*where, ssp);
		for (int idx = srcu_read_lock(ssp); idx >= 0; idx = -1) {
			sum += *srcu_dereference(*where, ssp);
			srcu_read_unlock(ssp, idx);
		}
	}
	return sum;
}

static void *read_shared(void *arg)
{
	read_fn *const *read = arg;

	for (unsigned int n = 0; n < SECTIONS; n += STEP) {
		uint64_t sum = (*read)(&shared, &current, STEP);

		if (sum != (uint64_t)2 * STEP)
			__atomic_fetch_add(&spoilt, 1, __ATOMIC_RELAXED);
	}
	__atomic_fetch_sub(&reading, 1, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(inline_and_other_readers_count_together)
{
	static uint64_t values[2] = {1, 1};
	read_fn *reads[6] = {read_inline, NULL, NULL, read_inline, NULL, NULL};
	struct srcu_stats stats;
	void *handle, *handle_inline;
	pthread_t threads[6];
	unsigned int next = 1;

	reads[1] = reads[4] = load(&handle, PLUGIN)->read;
	reads[2] = reads[5] = load(&handle_inline, PLUGIN_INLINE)->read;
	ck_assert_int_eq(init_srcu_struct(&shared), 0);
	current = &values[0];
	reading = 6;
	for (int i = 0; i < 6; i++)
		threads[i] = thread_start(read_shared, &reads[i]);
	for (; __atomic_load_n(&reading, __ATOMIC_ACQUIRE); next ^= 1) {
		__atomic_store_n(&values[next], 1, __ATOMIC_RELAXED);
		srcu_assign_pointer(current, &values[next]);
		synchronize_srcu(&shared);
		__atomic_store_n(&values[next ^ 1], 1000, __ATOMIC_RELAXED);
	}
	for (int i = 0; i < 6; i++)
		thread_join(threads[i]);
	ck_assert_uint_eq(spoilt, 0);
	ck_assert_int_eq(srcu_get_stats(&shared, &stats), 0);
	ck_assert_uint_eq(stats.readers, 0);
	ck_assert_uint_gt(stats.grace_periods, 0);
	ck_assert_int_eq(cleanup_srcu_struct(&shared), 0);
	unload(handle, PLUGIN);
}
END_TEST

static int run(void)
{
	TCase *unloading = test_case("unloading"), *slots = test_case("slots");
	TCase *const cases[] = {unloading, slots, NULL};

	tcase_add_test(unloading, the_kernel_finds_nothing_of_an_unloaded_object);
	tcase_add_test(unloading, a_fork_does_not_look_for_them);
	tcase_add_test(unloading, a_domain_that_was_cleaned_up_is_left_alone);
	tcase_add_test(unloading, callbacks_left_are_reported_and_waited_for);
	tcase_add_test(unloading, a_callback_that_unloads_its_domain_is_reported);
	tcase_add_test(unloading, readers_left_are_reported);
	tcase_add_test(unloading, readers_left_in_debug_mode_are_named);
	tcase_add_test(unloading, exit_is_not_unloading);
	if (!forced("nomemory")) {
		tcase_add_test(slots, its_domains_give_back_what_they_hold);
		tcase_add_test(slots, a_domain_not_used_costs_nothing);
		tcase_add_test(slots, inline_and_other_readers_count_together);
	}
	return run_suite("plugin", cases);
}

int main(void)
{
	/* Where shared objects are not built there is nothing to load. */
	return access(PLUGIN, R_OK) ? 77 : run();
}
