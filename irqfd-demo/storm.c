/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo routing-storm: the change of KVM's routes from RCU to SRCU, measured.
 *
 * One thread replaces the table without a pause while another signals 100 bound
 * eventfds in turn, and a third, which never looks at a route, sleeps in read-side
 * sections.  With RCU, of which a process has one, each update waits for the
 * sleeper; with a domain of the machine's own it does not.
 */
#include "storm.h"

#include "counters.h"
#include "demo.h"
#include "hub.h"
#include "vm.h"

#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEVICES     100
#define SLEEP_NS    5000000
#define MAX_UPDATES 1000000

static struct srcu_struct other_srcu;
static _Thread_local struct srcu_ctr *other_token;

static void lock_other(void)
{
	other_token = srcu_read_lock_fast(&other_srcu);
}

static void unlock_other(void)
{
	srcu_read_unlock_fast(&other_srcu, other_token);
}

static void wait_plainly(struct srcu_struct *ssp)
{
	synchronize_srcu(ssp);
}

static const struct storm_way storm_private = {
	.name = "SRCU",
	.lock_other = lock_other,
	.unlock_other = unlock_other,
	.wait = wait_plainly,
};

static const struct storm_way storm_expedited = {
	.name = "expedited",
	.lock_other = lock_other,
	.unlock_other = unlock_other,
	.wait = synchronize_srcu_expedited,
};

static const struct storm_way *const ways[] = {
#ifdef HAVE_LIBURCU
	&storm_urcu,
#endif
	&storm_private,
	&storm_expedited,
};

static const size_t sizes[] = {1, 100, MAX_ROUTES};

struct storm {
	const struct storm_way *way;
	struct vm vm;
	struct hub_event *events[DEVICES];
	sem_t started;   /* the devices' thread has */
	uint32_t asleep; /* the other reader is, inside its section */
	uint32_t stopping;
};

static void call(void (*function)(void))
{
	if (function)
		function();
}

static bool stopping(const struct storm *storm)
{
	return __atomic_load_n(&storm->stopping, __ATOMIC_RELAXED);
}

static void *sleeper_main(void *argument)
{
	const struct timespec nap = {.tv_nsec = SLEEP_NS};
	struct storm *storm = argument;

	call(storm->way->enter);
	while (!stopping(storm)) {
		storm->way->lock_other();
		__atomic_store_n(&storm->asleep, 1, __ATOMIC_RELAXED);
		nanosleep(&nap, NULL);
		__atomic_store_n(&storm->asleep, 0, __ATOMIC_RELAXED);
		storm->way->unlock_other();
	}
	call(storm->way->leave);
	return NULL;
}

static void *devices_main(void *argument)
{
	struct storm *storm = argument;

	call(storm->way->enter);
	sem_post(&storm->started);
	for (unsigned int i = 0; !stopping(storm); i++) {
		call(storm->way->lock);
		hub_signal(storm->events[i % DEVICES], 1);
		call(storm->way->unlock);
	}
	call(storm->way->leave);
	return NULL;
}

static void begin(struct storm *storm, const struct storm_way *way)
{
	storm->way = way;
	storm->stopping = 0;
	sem_init(&storm->started, 0, 0);
	vm_init(&storm->vm, IRQCHIP_SPLIT, 1);
	storm->vm.wait = way->wait;
	for (unsigned int i = 0; i < DEVICES; i++) {
		storm->events[i] = hub_open(0, 0);
		if (!storm->events[i] ||
			irqfd_assign(&storm->vm, storm->events[i], i, NULL, PATH_DIRECT))
			die(0, "cannot bind eventfd %u of %d", i + 1, DEVICES);
	}
}

static void end(struct storm *storm)
{
	sem_destroy(&storm->started);
	for (unsigned int i = 0; i < DEVICES; i++)
		hub_close(storm->events[i]);
	if (vm_end(&storm->vm))
		die(0, "a machine has readers left");
}

static int compare_ns(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Replace the table until the time is over; returns the median of what that took. */
static uint64_t update(struct storm *storm, size_t size, double seconds, uint64_t *ns)
{
	struct route_entry *entries = zalloc(size * sizeof(entries[0]));
	uint64_t began = now_ns(), last = began + (uint64_t)(seconds * 1e9);
	size_t nr = 0;

	for (uint32_t gsi = 0; gsi < size; gsi++)
		entries[gsi] = (struct route_entry){
			.gsi = gsi, .route = {.type = ROUTE_MSI, .vector = 0x20 + gsi % 0xd0}};
	do {
		while (!__atomic_load_n(&storm->asleep, __ATOMIC_RELAXED))
			sched_yield();
		began = now_ns();
		if (routing_set(&storm->vm, entries, size))
			die(0, "cannot set the routes");
		ns[nr++] = now_ns() - began;
	} while (nr < MAX_UPDATES && began < last);
	free(entries);
	qsort(ns, nr, sizeof(ns[0]), compare_ns);
	return ns[nr / 2];
}

static uint64_t measure(const struct storm_way *way, size_t size, double seconds, uint64_t *ns)
{
	static struct storm storm;
	pthread_t sleeper, devices;
	uint64_t median;

	begin(&storm, way);
	sleeper = thread_spawn(sleeper_main, &storm, "sleeper");
	devices = thread_spawn(devices_main, &storm, "devices");
	sem_wait(&storm.started);
	median = update(&storm, size, seconds, ns);
	__atomic_store_n(&storm.stopping, 1, __ATOMIC_RELAXED);
	pthread_join(devices, NULL);
	pthread_join(sleeper, NULL);
	end(&storm);
	return median;
}

static void print_row(size_t size, const uint64_t median[])
{
	double least = (double)median[ARRAY_SIZE(ways) - 1];

	printf("%6zu", size);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		printf(" %11.1f us", (double)median[i] / 1e3);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(ways); i++)
		printf(" %11.1f x", (double)median[i] / least);
	putchar('\n');
	fflush(stdout);
}

int routing_storm_main(double seconds)
{
	uint64_t *ns = zalloc(MAX_UPDATES * sizeof(ns[0]));
	int error = init_srcu_struct_with(&other_srcu, &(struct srcu_options){.name = "other"});

	if (error)
		die(-error, "cannot initialise a domain");
	counters_init();
	printf("Median time to replace a table, %d irqfds being signalled, while an unrelated\n"
	       "reader sleeps in sections of 5 ms; and ratios to the last way's.\n\nroutes",
		DEVICES);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		printf(" %14s", ways[i]->name);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(ways); i++)
		printf(" %13s", ways[i]->name);
	putchar('\n');
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		uint64_t median[ARRAY_SIZE(ways)];

		for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
			median[i] = measure(ways[i], sizes[s], seconds, ns);
		print_row(sizes[s], median);
	}
#ifndef HAVE_LIBURCU
	printf("\nliburcu was not there when this was built, and is left out.\n");
#endif
	counters_free();
	free(ns);
	return cleanup_srcu_struct(&other_srcu) ? EXIT_FAILURE : EXIT_SUCCESS;
}
