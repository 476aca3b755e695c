/* SPDX-License-Identifier: MIT */
/*
 * Devices, mailboxes and the pace of injection; device.h says what they are.
 * Owns a domain, in which handlers read a device's eventfd: an unplugged one is
 * closed when none of them has it any more.
 */
#include "device.h"

#include "counters.h"

#include <srcu/srcu.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define BURST_MAX 8
#define PAUSE_NS  50000 /* longest, for each source */
#define STAY      32    /* bursts between two unpluggings, on average */

DEFINE_STATIC_SRCU(devices_srcu);

struct pace pace_init(uint64_t seed, unsigned int source, unsigned int nr_sources)
{
	struct pace pace = {.random = seed, .pause_ns = (uint64_t)PAUSE_NS * nr_sources};

	/* Another source starts elsewhere, and not where this one soon will be. */
	pace.random = random_next(&pace.random) + source;
	pace.random = random_next(&pace.random);
	return pace;
}

unsigned int pace_burst(struct pace *pace)
{
	return 1 + (unsigned int)random_below(&pace->random, BURST_MAX);
}

struct timespec pace_pause(struct pace *pace)
{
	return (struct timespec){.tv_nsec = (long)random_below(&pace->random, pace->pause_ns)};
}

void mailbox_raise(struct mailbox *mailbox)
{
	uint64_t last = __atomic_load_n(&mailbox->raised, __ATOMIC_RELAXED), now = now_ns();

	/*
	 * Release, and what carries it to the CPU is the chain of RMWs from the
	 * signal to the vector: pending bit, work flag, APIC bit.
	 */
	__atomic_store_n(&mailbox->raised, now > last ? now : last + 1, __ATOMIC_RELEASE);
}

uint64_t mailbox_look(struct mailbox *mailbox)
{
	uint64_t event = __atomic_load_n(&mailbox->raised, __ATOMIC_ACQUIRE), now;
	uint64_t seen = __atomic_load_n(&mailbox->seen, __ATOMIC_RELAXED);

	do {
		if (seen >= event)
			return 0;
	} while (!__atomic_compare_exchange_n(
		&mailbox->seen, &seen, event, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	now = now_ns();
	return now > event ? now - event : 1;
}

bool mailbox_lost(const struct mailbox *mailbox)
{
	return __atomic_load_n(&mailbox->seen, __ATOMIC_ACQUIRE) !=
	       __atomic_load_n(&mailbox->raised, __ATOMIC_ACQUIRE);
}

/*
 * The reactor's handle is the last one, so that events written before the pipe's
 * hang-up are seen first.
 */
static void plug_into_reactor(struct device *device, struct hub_event *event)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		die(errno, "cannot make a pipe for device %u", device->id);
	device->plug = ends[1];
	reactor_add(device->reactor, hub_dup(event), ends[0]);
}

void device_plug(struct device *device)
{
	struct hub_event *event = hub_open(0, 0);
	int error;

	if (!event)
		die(errno, "cannot make an eventfd for device %u", device->id);
	error = irqfd_assign(device->vm, event, device->id, NULL, device->path);
	if (error)
		die(-error, "cannot bind device %u", device->id);
	device->plug = -1;
	if (device->path == PATH_EVENTFD)
		plug_into_reactor(device, event);
	srcu_assign_pointer(device->event, event);
}

void device_unplug(struct device *device)
{
	struct hub_event *event = device->event;

	srcu_assign_pointer(device->event, NULL);
	synchronize_srcu(&devices_srcu);
	hub_close(event);
	if (device->plug >= 0)
		close(device->plug);
}

/* What came for a device that is gone is told of by the first event of the next. */
void device_interrupt(struct device *device)
{
	struct srcu_ctr *token = srcu_read_lock_fast(&devices_srcu);
	struct hub_event *event = srcu_dereference(device->event, &devices_srcu);

	if (!event)
		count(path[PATH_SIGNAL].coalesced);
	else if (hub_signal(event, 1))
		abort();
	srcu_read_unlock_fast(&devices_srcu, token);
}

static void inject(struct device *device)
{
	unsigned int cpu;
	int error = 0;

	mailbox_raise(device->mailbox);
	count(path[device->path].injected);
	switch (device->path) {
	case PATH_DIRECT:
		error = hub_signal(device->event, 1);
		break;
	case PATH_EVENTFD:
		error = hub_write(device->event, 1);
		break;
	default:
		cpu = (unsigned int)random_below(&device->pace.random, device->nr_cpus);
		if (!cpu_raise(&device->cpus[cpu], device->id))
			count(path[PATH_SIGNAL].coalesced);
		break;
	}
	/* The counter is drained at each wake-up and never near its limit. */
	if (error)
		die(-error, "cannot signal device %u", device->id);
}

static void replug(struct device *device)
{
	device_unplug(device);
	device_plug(device);
	count(replugs);
	inject(device);
}

static void *device_main(void *argument)
{
	struct device *device = argument;

	while (!__atomic_load_n(&device->stopping, __ATOMIC_ACQUIRE)) {
		struct timespec pause = pace_pause(&device->pace);

		for (unsigned int n = pace_burst(&device->pace); n; n--)
			inject(device);
		if (random_below(&device->pace.random, STAY) == 0)
			replug(device);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	return NULL;
}

void device_start(struct device *device)
{
	device->thread = thread_spawn(device_main, device, "device %u", device->id);
}

void device_stop(struct device *device)
{
	__atomic_store_n(&device->stopping, 1, __ATOMIC_RELEASE);
	pthread_join(device->thread, NULL);
}

int devices_end(void)
{
	return cleanup_srcu_struct(&devices_srcu);
}
