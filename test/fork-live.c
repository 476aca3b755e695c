/* SPDX-License-Identifier: MIT */
/* What fork-live.h declares. */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "child.h"
#include "fork-live.h"

struct srcu_struct domain;

void init(enum srcu_callback_mode mode)
{
	const struct srcu_options options = {.callbacks = mode};
	const struct srcu_struct fresh = SRCU_STRUCT_INIT_(domain);

	warnings_collect();
	if (!forced("nomemory")) {
		ck_assert_int_eq(init_srcu_struct_with(&domain, &options), 0);
		return;
	}
	memcpy(&domain, &fresh, sizeof(domain));
	if (mode == SRCU_CALLBACKS_THREADS)
		ck_assert_int_eq(srcu_start_callbacks(), 0);
}

static uint64_t invoked;

void note(struct srcu_head *head)
{
	(void)head;
	__atomic_fetch_add(&invoked, 1, __ATOMIC_RELEASE);
}

uint64_t count(void)
{
	return __atomic_load_n(&invoked, __ATOMIC_ACQUIRE);
}

struct fork_state here;

static struct srcu_head heads[QUEUED];

void queue(void)
{
	for (unsigned int i = 0; i < QUEUED; i++)
		must(call_srcu(&domain, &heads[i], note) == 0);
	here.queued = QUEUED;
}

void begin_sections(void)
{
	here.in_section = true;
	here.idx = srcu_read_lock(&domain);
	here.ctr = srcu_read_lock_fast(&domain);
}

void end_sections(void)
{
	if (!here.in_section)
		return;
	srcu_read_unlock(&domain, here.idx);
	srcu_read_unlock_fast(&domain, here.ctr);
	here.in_section = false;
}

/*
 * What a child does first.  Those that only poll or wait for others must get as
 * far as those that drive.
 */
static void synchronize_first(void)
{
	synchronize_srcu(&domain);
}

static void poll_first(void)
{
	uint64_t cookie = start_poll_synchronize_srcu(&domain);

	while (!poll_state_synchronize_srcu(&domain, cookie))
		sched_yield();
}

static void expect_callbacks(uint64_t expected)
{
	uint64_t seen;

	while ((seen = count()) != expected) {
		must(seen < expected);
		if (here.mode == SRCU_CALLBACKS_CALLER)
			srcu_run_callbacks(&domain, UINT64_MAX);
		sched_yield();
	}
}

void callback_first(void)
{
	static struct srcu_head head;
	uint64_t before = count();

	must(call_srcu(&domain, &head, note) == 0);
	must(srcu_start_callbacks() == 0);
	expect_callbacks(before + here.queued + 1);
	here.queued = 0;
}

static void barrier_first(void)
{
	uint64_t before = count();

	must(srcu_barrier(&domain) == 0);
	must(count() == before + here.queued);
	here.queued = 0;
}

/* Who waited for callbacks is not here, and its stack is anybody's. */
static void end_first(void)
{
	int idx = srcu_read_lock(&domain);

	srcu_run_callbacks(&domain, 1); /* not the last of those it waited for */
	must(!domain.barriers_);
	srcu_read_unlock(&domain, idx);
	end_sections();
}

static void (*const firsts[])(void) = {
	synchronize_first, poll_first, callback_first, barrier_first, end_first};

const unsigned int firsts_count = sizeof(firsts) / sizeof(firsts[0]);

void sections_are_waited_for(void)
{
	int idx = srcu_read_lock(&domain);
	uint64_t cookie = start_poll_synchronize_srcu(&domain);

	for (int i = 0; i < 10; i++)
		must(!poll_state_synchronize_srcu(&domain, cookie));
	must(synchronize_srcu_timeout(&domain, 0) == -ETIMEDOUT);
	srcu_read_unlock(&domain, idx);
	must(synchronize_srcu_timeout(&domain, UINT64_MAX) == 0);
	must(poll_state_synchronize_srcu(&domain, cookie));
}

void *read_until_told(void *arg)
{
	struct stepper *stepper = arg;
	int idx = srcu_read_lock(&domain);

	step_pause(stepper, 1);
	srcu_read_unlock(&domain, idx);
	return NULL;
}

void *synchronize(void *arg)
{
	synchronize_srcu(&domain);
	return arg;
}

void *wait_for_callbacks(void *arg)
{
	srcu_barrier(&domain);
	return arg;
}

/* A thread of the child is waited for as well. */
static void threads_are_waited_for(void)
{
	struct stepper stepper = STEPPER_INIT;
	pthread_t thread;

	must(pthread_create(&thread, NULL, read_until_told, &stepper) == 0);
	step_await(&stepper, 1);
	must(synchronize_srcu_timeout(&domain, 1000000) == -ETIMEDOUT);
	step_allow(&stepper, 1);
	synchronize_srcu(&domain);
	must(pthread_join(thread, NULL) == 0);
}

void a_domain_of_its_own_works(void)
{
	static struct srcu_struct own;
	static struct srcu_head head;
	uint64_t before = count();

	if (forced("nomemory"))
		return;
	must(init_srcu_struct(&own) == 0);
	srcu_read_unlock(&own, srcu_read_lock(&own));
	must(call_srcu(&own, &head, note) == 0);
	while (count() == before)
		sched_yield();
	must(srcu_barrier(&own) == 0);
	must(cleanup_srcu_struct(&own) == 0);
}

/* All that a child is entitled to. */
void live(void *arg)
{
	uint64_t before = count() + here.queued;

	(void)arg;
	firsts[here.first]();
	synchronize_srcu(&domain);
	end_sections();
	must(srcu_barrier(&domain) == 0);
	must(count() >= before);
	here.queued = 0;
	sections_are_waited_for();
	threads_are_waited_for();
	a_domain_of_its_own_works();
	callback_first();
	if (here.more--) {
		begin_sections();
		before = count();
		queue();
		must(child_succeeds(here.kind, live, NULL));
		end_sections();
		must(srcu_barrier(&domain) == 0);
		must(count() == before + QUEUED);
		here.queued = 0;
	}
	barrier_first(); /* a callback that has counted has not returned */
	must(cleanup_srcu_struct(&domain) == 0);
	must(warnings() == 0);
}
