/* SPDX-License-Identifier: MIT */
/*
 * The backend on /dev/kvm: worlds, machines and eventfds, and how long an
 * observation waits.  Each world owns its descriptors and its arena.
 */
#include "demo.h"
#include "kvm.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS  1000000u
#define WAIT_NS    (1000u * NS_PER_MS) /* for what is expected */
#define STABLE_NS  (10u * NS_PER_MS)   /* without change, where nothing is expected */
#define SLEEP_NS   200000
#define NO_SUCH_FD INT32_MAX

static const struct kvm_host *host;

int kvm_event_fd(const struct world *world, unsigned int event)
{
	if (event == EVENT_CLOSED)
		return NO_SUCH_FD;
	return event == EVENT_FILE ? world->file : world->event[event];
}

void kvm_outcome(char outcome[OUTCOME_SIZE], int result)
{
	snprintf(outcome, OUTCOME_SIZE, "%s", errno_name(result < 0 ? errno : 0));
}

static struct world *kvm_begin(const char **why)
{
	struct world *world;

	host = kvm_host_open(why);
	if (!host)
		return NULL;
	world = zalloc(sizeof(*world));
	for (unsigned int i = 0; i < MAX_EVENTS; i++)
		world->event[i] = -1;
	world->file = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (world->file < 0)
		die(errno, "cannot open /dev/null");
	world->arena = kvm_arena_map();
	return world;
}

static unsigned int kvm_features(const struct world *world)
{
	(void)world;
	return host->features;
}

static void create_chip(int fd, enum chip chip)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {24}};
	int result = 0;

	if (chip == CHIP_FULL)
		result = ioctl(fd, KVM_CREATE_IRQCHIP, 0);
	else if (chip == CHIP_SPLIT)
		result = ioctl(fd, KVM_ENABLE_CAP, &split);
	if (result < 0)
		die(errno, "cannot make the interrupt controllers");
}

static void create_machine(struct world *world, const struct step *step)
{
	struct kvm_machine *machine = zalloc(sizeof(*machine));
	int fd = ioctl(host->kvm, KVM_CREATE_VM, 0);

	if (fd < 0)
		die(errno, "cannot create a virtual machine");
	create_chip(fd, step->chip);
	for (unsigned int i = 0; i < step->number; i++) {
		int cpu = ioctl(fd, KVM_CREATE_VCPU, (unsigned long)i);

		if (cpu < 0)
			die(errno, "cannot create a CPU");
		machine->cpu[machine->nr_cpus++] = cpu;
		if (step->chip != CHIP_NONE && kvm_apic_enable(cpu, true) < 0)
			die(errno, "cannot enable an APIC");
	}
	machine->handles = 1;
	machine->first_fd = fd;
	world->machine[step->machine] = (struct kvm_handle){fd, machine};
}

static void dup_machine(struct world *world, const struct step *step)
{
	struct kvm_handle *of = &world->machine[step->other];
	int fd = fcntl(of->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		die(errno, "cannot duplicate a machine's descriptor");
	of->machine->handles++;
	world->machine[step->machine] = (struct kvm_handle){fd, of->machine};
}

/*
 * KVM calls a machine's directory in debugfs by the number that its first descriptor
 * has, and complains when another machine gets that number while this one lives.
 */
static void close_descriptor(const struct world *world, struct kvm_handle *handle)
{
	if (handle->fd != handle->machine->first_fd)
		close(handle->fd);
	else if (dup3(world->file, handle->fd, O_CLOEXEC) < 0)
		die(errno, "cannot close a machine's descriptor");
	handle->fd = -1;
}

/* The machine's own descriptors first: its irqfds go then, whatever the CPUs' are. */
static void close_machine(const struct world *world, struct kvm_handle *handle)
{
	struct kvm_machine *machine = handle->machine;

	if (handle->fd >= 0)
		close_descriptor(world, handle);
	if (--machine->handles == 0) {
		for (unsigned int i = 0; i < machine->nr_cpus; i++)
			close(machine->cpu[i]);
		close(machine->first_fd);
		free(machine);
	}
	handle->machine = NULL;
}

static void open_event(struct world *world, const struct step *step)
{
	int fd;

	if (step->op == OP_EVENT)
		fd = eventfd((unsigned int)step->value,
			EFD_CLOEXEC | EFD_NONBLOCK | (step->number ? EFD_SEMAPHORE : 0));
	else
		fd = fcntl(world->event[step->other], F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		die(errno, "cannot make eventfd");
	world->event[step->event] = fd;
}

static void show_count(const struct world *world, const struct step *step, char *outcome)
{
	char path[48], line[128];
	unsigned long long count = 0;
	bool found = false;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", world->event[step->event]);
	info = fopen(path, "re");
	if (!info)
		die(errno, "cannot open %s", path);
	while (!found && fgets(line, sizeof(line), info))
		found = sscanf(line, "eventfd-count: %llx", &count) == 1;
	fclose(info);
	if (!found)
		die(0, "%s does not tell the count", path);
	snprintf(outcome, OUTCOME_SIZE, "%llu", count);
}

static void show_poll(const struct world *world, const struct step *step, char *outcome)
{
	struct pollfd wait = {.fd = world->event[step->event], .events = POLLIN};

	snprintf(outcome, OUTCOME_SIZE, "%s", poll(&wait, 1, 0) > 0 ? "ready" : "idle");
}

static void carry_out_here(struct world *world, const struct step *step, char outcome[OUTCOME_SIZE])
{
	kvm_outcome(outcome, 0);
	switch (step->op) {
	case OP_VM:
		create_machine(world, step);
		break;
	case OP_VM_DUP:
		dup_machine(world, step);
		break;
	case OP_VM_CLOSE:
		if (step->keep_cpus)
			close_descriptor(world, &world->machine[step->machine]);
		else
			close_machine(world, &world->machine[step->machine]);
		break;
	case OP_IRQCHIP:
		kvm_outcome(
			outcome, ioctl(world->machine[step->machine].fd, KVM_CREATE_IRQCHIP, 0));
		break;
	case OP_EVENT:
	case OP_EVENT_DUP:
		open_event(world, step);
		break;
	case OP_CLOSE:
		close(world->event[step->event]);
		world->event[step->event] = -1;
		break;
	case OP_SIGNAL:
		kvm_outcome(outcome,
			(int)write(world->event[step->event], &step->value, sizeof(step->value)));
		break;
	case OP_SHOW_COUNT:
		show_count(world, step, outcome);
		break;
	case OP_SHOW_POLL:
		show_poll(world, step, outcome);
		break;
	default:
		if (!kvm_interrupt_run(world, step, outcome))
			kvm_memory_run(world, step, outcome);
	}
}

/* A child has the machine's descriptor, but is not the process that the machine is of. */
static void carry_out_in_child(
	struct world *world, const struct step *step, char outcome[OUTCOME_SIZE])
{
	int ends[2], status;
	ssize_t size;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		die(errno, "cannot make a pipe");
	child = fork();
	if (child < 0)
		die(errno, "cannot fork");
	if (child == 0) {
		carry_out_here(world, step, outcome);
		size = write(ends[1], outcome, OUTCOME_SIZE);
		_exit(size == OUTCOME_SIZE ? 0 : 1);
	}
	close(ends[1]);
	size = read(ends[0], outcome, OUTCOME_SIZE);
	close(ends[0]);
	if (waitpid(child, &status, 0) < 0 || status != 0 || size != OUTCOME_SIZE)
		die(0, "a child did not carry out its step");
}

static void carry_out(struct world *world, const struct step *step, char outcome[OUTCOME_SIZE])
{
	if (step->child)
		carry_out_in_child(world, step, outcome);
	else
		carry_out_here(world, step, outcome);
}

static bool starts_worker(enum op op)
{
	return op == OP_ASSIGN || op == OP_SIGNAL || op == OP_CLOSE || op == OP_VM_CLOSE;
}

/*
 * Steps whose effect must not be mixed with that of workers: all but those that
 * KVM itself lets wait for them, or that only start more.
 */
static bool overtakes_workers(enum op op)
{
	switch (op) {
	case OP_VM:
	case OP_VM_DUP:
	case OP_VM_CLOSE:
	case OP_EVENT:
	case OP_EVENT_DUP:
	case OP_CLOSE:
	case OP_SIGNAL:
	case OP_DEASSIGN:
		return false;
	default:
		return true;
	}
}

/* Observations that change nothing, so that they can be repeated. */
static bool can_wait(enum op op)
{
	return op >= OP_SHOW_IRR && op != OP_SHOW_PAGE && op != OP_SHOW_DIRTY;
}

static void observe_again(
	struct world *world, const struct step *step, const char *expected, char *outcome)
{
	const struct timespec nap = {.tv_nsec = SLEEP_NS};
	uint64_t since = now_ns();
	char before[OUTCOME_SIZE];

	while (!expected || strcmp(outcome, expected) != 0) {
		if (now_ns() - since >= (expected ? WAIT_NS : STABLE_NS))
			break;
		memcpy(before, outcome, sizeof(before));
		nanosleep(&nap, NULL);
		carry_out(world, step, outcome);
		if (!expected && strcmp(before, outcome) != 0)
			since = now_ns();
	}
}

/* Workers run where they are started, and settling relies on one queue. */
static void carry_out_pinned(
	struct world *world, const struct step *step, char outcome[OUTCOME_SIZE])
{
	bool settles = world->unsettled && overtakes_workers(step->op);
	cpu_set_t before, here;
	bool moved;

	if (!settles && !starts_worker(step->op)) {
		carry_out(world, step, outcome);
		return;
	}
	CPU_ZERO(&here);
	CPU_SET((size_t)host->cpu, &here);
	moved = sched_getaffinity(0, sizeof(before), &before) == 0 &&
		sched_setaffinity(0, sizeof(here), &here) == 0;
	if (settles)
		kvm_host_settle(host);
	world->unsettled = (world->unsettled && !settles) || starts_worker(step->op);
	carry_out(world, step, outcome);
	if (moved)
		sched_setaffinity(0, sizeof(before), &before);
}

static void kvm_run(struct world *world, const struct step *step, const char *expected,
	char outcome[OUTCOME_SIZE])
{
	memset(outcome, 0, OUTCOME_SIZE);
	carry_out_pinned(world, step, outcome);
	if (can_wait(step->op))
		observe_again(world, step, expected, outcome);
}

static void kvm_end(struct world *world)
{
	for (unsigned int i = 0; i < MAX_MACHINES; i++)
		if (world->machine[i].machine)
			close_machine(world, &world->machine[i]);
	for (unsigned int i = 0; i < MAX_EVENTS; i++)
		if (world->event[i] >= 0)
			close(world->event[i]);
	close(world->file);
	kvm_arena_unmap(world->arena);
	free(world);
}

const struct backend kvm_backend = {
	.name = "kvm",
	.begin = kvm_begin,
	.features = kvm_features,
	.run = kvm_run,
	.end = kvm_end,
};
