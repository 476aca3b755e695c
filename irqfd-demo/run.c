/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo run: puts the machine together, lets sources inject while a router
 * replaces the routes, brings everything to rest in an order that leaves no
 * event behind, and checks what must hold then.
 */
#include "device.h"
#include "peer.h"
#include "plan.h"
#include "reactor.h"
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define TERMINAL_LINE_NS 250000000u
#define PLAIN_LINE_NS    1000000000u

/* Table entries that a CPU looks up each time it wakes. */
#define LOOKUPS 16

struct run {
	const struct run_options *options;
	unsigned int nr_sources;
	struct cpu cpus[MAX_CPUS + 1]; /* behind the machine's own: the router's */
	struct cpu_ops cpu_ops, router_ops;
	struct vm vm;
	struct hub_event *events[MAX_SOURCES]; /* NULL: the reactor has the last handle */
	struct device devices[MAX_DEVICES];
	struct mailbox *mailboxes;
	struct peer peer;
	struct reactor reactor;
	uint32_t router_quits;
	uint64_t updates; /* tables set, by main and then by the router */
};

static struct run run;

/* The device threads take the paths in turn; the other process can only write. */
static enum path source_path(unsigned int source)
{
	return source < run.options->devices ? (enum path)(source % NR_PATHS) : PATH_EVENTFD;
}

/* A device interrupt of the host: the driver's handler signals the eventfd. */
static void host_line(void *data, unsigned int line)
{
	(void)data;
	if (hub_signal(run.events[line], 1))
		abort();
}

static void look(unsigned int source)
{
	uint64_t age = mailbox_look(&run.mailboxes[source]);

	if (age)
		latency_record(source_path(source), age);
}

/* An interrupt of the guest.  A vector that no source has there can only be torn. */
static void guest_vector(void *data, struct cpu *cpu, unsigned int vector)
{
	(void)data;
	if (!plan_sources(cpu->id, vector, look))
		count(torn);
}

/*
 * The kernel's part of a CPU reads routes, too, and may be interrupted by the
 * wake-up in the middle of it: two sections of one domain on one thread.
 */
static void guest_woken(void *data, struct cpu *cpu)
{
	struct vm *vm = data;

	for (unsigned int i = 0; i < LOOKUPS; i++) {
		unsigned int gsi = (cpu->id + i) % run.options->routes;
		struct srcu_ctr *token = srcu_read_lock_fast(&vm->irq_srcu);
		struct route routes[NR_CHIPS];
		unsigned int nr = routing_get(vm, gsi, routes);

		while (nr)
			routing_check(vm, gsi, &routes[--nr]);
		srcu_read_unlock_fast(&vm->irq_srcu, token);
	}
}

static void set_next_table(struct route_entry *entries)
{
	int error;

	run.updates++;
	for (unsigned int gsi = 0; gsi < run.options->routes; gsi++)
		entries[gsi] = plan_entry(gsi, run.updates);
	error = routing_set(&run.vm, entries, run.options->routes);
	if (error)
		die(-error, "cannot set the routes");
}

static void router_run(void *data, struct cpu *cpu)
{
	(void)cpu;
	while (!__atomic_load_n(&run.router_quits, __ATOMIC_ACQUIRE))
		set_next_table(data);
}

/* Mailboxes and eventfds, and the other process while this one has one thread. */
static void make_sources(void)
{
	unsigned int peer = run.nr_sources - 1;

	run.mailboxes = mmap(NULL, run.nr_sources * sizeof(run.mailboxes[0]),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.mailboxes == MAP_FAILED)
		die(errno, "no shared memory");
	for (unsigned int i = 0; i < run.nr_sources; i++) {
		run.events[i] = hub_open(0, 0);
		if (!run.events[i])
			die(errno, "cannot make eventfd %u of %u", i + 1, run.nr_sources);
	}
	peer_fork(&run.peer, &run.mailboxes[peer], hub_fd(run.events[peer]),
		pace_init(run.options->seed, peer, run.nr_sources));
}

static void bind_source(unsigned int source)
{
	int error = irqfd_assign(&run.vm, run.events[source], source, NULL, source_path(source));

	if (error)
		die(-error, "cannot bind source %u", source);
	if (source_path(source) != PATH_EVENTFD)
		return;
	if (source < run.options->devices) {
		reactor_add(&run.reactor, hub_dup(run.events[source]), -1);
		return;
	}
	/* The other process's handle, which the reactor closes when the process hangs up. */
	reactor_add(&run.reactor, run.events[source], run.peer.hang_up);
	run.events[source] = NULL;
}

static void start_devices(void)
{
	for (unsigned int i = 0; i < run.options->devices; i++) {
		struct device *device = &run.devices[i];

		device->id = i;
		device->path = source_path(i);
		device->event = run.events[i];
		device->mailbox = &run.mailboxes[i];
		device->pace = pace_init(run.options->seed, i, run.nr_sources);
		device->cpus = run.cpus;
		device->nr_cpus = run.options->cpus + 1;
		device_start(device);
	}
	peer_begin(&run.peer);
}

static void start(struct route_entry *entries)
{
	const struct run_options *options = run.options;

	plan_init(options->cpus, run.nr_sources);
	vm_init(&run.vm, IRQCHIP_FULL, options->cpus);
	run.vm.route_valid = plan_holds;
	plan_ioapic(&run.vm);
	set_next_table(entries);
	reactor_init(&run.reactor, run.nr_sources);
	for (unsigned int i = 0; i < run.nr_sources; i++)
		bind_source(i);

	run.cpu_ops = (struct cpu_ops){host_line, guest_vector, NULL, guest_woken, &run.vm};
	run.router_ops = (struct cpu_ops){host_line, guest_vector, router_run, NULL, entries};
	for (unsigned int i = 0; i < options->cpus; i++)
		cpu_start(&run.cpus[i], i, &run.cpu_ops, &run.vm.lapics[i]);
	cpu_start(&run.cpus[options->cpus], options->cpus, &run.router_ops, NULL);
	reactor_start(&run.reactor);
	start_devices();
}

static void sync_cpus(void)
{
	for (unsigned int i = 0; i <= run.options->cpus; i++)
		cpu_sync(&run.cpus[i]);
}

/*
 * Each step waits until the events of the step before have moved on: from the
 * sources to eventfds and host interrupts, to the worker, to the vectors.  The
 * router goes last.  Returns the other process's wait status.
 */
static int stop(void)
{
	int status;

	for (unsigned int i = 0; i < run.options->devices; i++)
		device_stop(&run.devices[i]);
	status = peer_end(&run.peer);
	reactor_stop(&run.reactor);
	sync_cpus();
	workq_flush(&run.vm.workq);
	sync_cpus();
	__atomic_store_n(&run.router_quits, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i <= run.options->cpus; i++)
		cpu_stop(&run.cpus[i]);
	return status;
}

/* Unbind and free everything; 0, or negative errno when a domain had a reader left. */
static int take_apart(void)
{
	int error, hub_error;

	for (unsigned int i = 0; i < run.nr_sources; i++) {
		if (!run.events[i])
			continue;
		irqfd_deassign(&run.vm, run.events[i], i);
		hub_close(run.events[i]);
	}
	error = vm_end(&run.vm);
	hub_error = hub_end();
	munmap(run.mailboxes, run.nr_sources * sizeof(run.mailboxes[0]));
	return error ? error : hub_error;
}

/* Wait for the duration or a signal that ends the run, printing lines. */
static void watch(struct report *report, const sigset_t *ends)
{
	uint64_t interval = report->terminal ? TERMINAL_LINE_NS : PLAIN_LINE_NS;
	uint64_t end = report->began_ns + (uint64_t)(run.options->duration * 1e9);
	uint64_t line = report->began_ns + interval, now = now_ns();

	while (now < end) {
		uint64_t wait = (line < end ? line : end) - now;
		struct timespec ts = {(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)};

		if (line > now && sigtimedwait(ends, NULL, &ts) >= 0)
			break;
		now = now_ns();
		if (now < line)
			continue;
		report_line(report);
		line += interval * ((now - line) / interval + 1);
	}
}

static unsigned int broken;

static void require(bool holds, const char *invariant, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void require(bool holds, const char *invariant, const char *format, ...)
{
	va_list ap;

	if (holds)
		return;
	broken++;
	fprintf(stderr, "irqfd-demo: %s: ", invariant);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static uint64_t count_lost(void)
{
	uint64_t lost = 0;

	for (unsigned int i = 0; i < run.nr_sources; i++) {
		bool is_lost = mailbox_lost(&run.mailboxes[i]);

		lost += is_lost;
		require(!is_lost, "lost", "no CPU saw the last event of source %u", i);
	}
	return lost;
}

/* Every event became a pending vector or joined one, and every pending vector was taken. */
static void check_accounts(const struct report *report)
{
	uint64_t pending = 0, taken = percpu_sum(&counters->taken);

	for (enum path path = 0; path < NR_PATHS; path++) {
		uint64_t injected = report_injected(report, path);
		uint64_t delivered = percpu_sum(&counters->path[path].delivered);
		uint64_t coalesced = percpu_sum(&counters->path[path].coalesced);

		pending += delivered;
		require(injected == delivered + coalesced, "accounts",
			"%" PRIu64 " events injected on path %s, %" PRIu64 " accounted for",
			injected, path_name(path), delivered + coalesced);
	}
	require(pending == taken, "accounts", "%" PRIu64 " vectors were pending, %" PRIu64 " taken",
		pending, taken);
}

static void check(const struct report *report, int peer_status)
{
	uint64_t torn = percpu_sum(&counters->torn), stale = percpu_sum(&counters->stale);

	require(torn == 0, "torn", "%" PRIu64 " deliveries by a route that no table held", torn);
	require(stale == 0, "stale", "%" PRIu64 " deliveries by a route already replaced", stale);
	require(WIFEXITED(peer_status) && WEXITSTATUS(peer_status) == 0, "other process",
		"ended with wait status %#x", (unsigned int)peer_status);
	check_accounts(report);
}

int run_main(const struct run_options *options)
{
	struct route_entry *entries = zalloc(options->routes * sizeof(entries[0]));
	struct srcu_stats stats;
	struct report report;
	int peer_status, error;
	sigset_t ends;

	run.options = options;
	run.nr_sources = options->devices + 1;
	signal(SIGPIPE, SIG_IGN); /* the other process may go at any time */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	make_sources();
	cpu_init_signals();
	counters_init();
	start(entries);

	report_begin(&report, options, &run.mailboxes[run.nr_sources - 1]);
	watch(&report, &ends);
	/* From here on a signal ends the program as it would any other. */
	pthread_sigmask(SIG_UNBLOCK, &ends, NULL);
	peer_status = stop();

	srcu_get_stats(&run.vm.irq_srcu, &stats);
	report_end(&report, count_lost(), &stats);
	check(&report, peer_status);
	error = take_apart();
	require(error == 0, "readers", "a domain had readers left");
	counters_free();
	free(entries);
	return broken ? EXIT_FAILURE : EXIT_SUCCESS;
}
