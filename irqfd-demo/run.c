/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo run: puts the machine together, lets sources inject while a router
 * replaces the routes and another thread the memory, brings everything to rest in
 * an order that leaves no event behind, and checks what must hold then.
 */
#include "export.h"
#include "level.h"
#include "peer.h"
#include "plan.h"
#include "report.h"
#include "slots.h"
#include "watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

/* Table entries that a CPU looks up each time it wakes. */
#define LOOKUPS 16

/*
 * Sources, which are also gsis: the devices, the other processes, the
 * level-triggered devices.
 */
struct run {
	const struct run_options *options;
	unsigned int nr_edges; /* sources without the level-triggered devices */
	unsigned int nr_sources;
	struct cpu cpus[MAX_CPUS + 1]; /* behind the machine's own: the router's */
	struct cpu_ops cpu_ops, router_ops;
	struct vm vm;
	struct device devices[MAX_DEVICES];
	struct level levels[NR_LEVELS];
	struct mailbox *mailboxes;
	struct peer peers[NR_PEERS];
	struct hub_event *peer_events[NR_PEERS]; /* the reactor's, once they are bound */
	struct reactor reactor;
	struct slots slots;
	uint32_t router_quits;
	uint64_t updates; /* tables set, by main and then by the router */
};

static struct run run;

/* The device threads take the edge-triggered paths in turn; other processes can only write. */
static enum path source_path(unsigned int source)
{
	if (source >= run.nr_edges)
		return PATH_LEVEL;
	return source < run.options->devices ? (enum path)(source % PATH_LEVEL) : PATH_EVENTFD;
}

/* A device interrupt of the host: the driver's handler signals the eventfd. */
static void host_line(void *data, unsigned int line)
{
	(void)data;
	device_interrupt(&run.devices[line]);
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
 * The kernel's part of a CPU reads routes and slots, too, and may be interrupted by
 * the wake-up in the middle of it: two sections of one domain on one thread.
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
	slots_access(&run.slots, cpu->id);
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

static struct pace pace_of(unsigned int source)
{
	return pace_init(run.options->seed, source, run.nr_sources);
}

/* Mailboxes, and the other processes while this one has one thread. */
static void make_peers(void)
{
	run.mailboxes = mmap(NULL, run.nr_sources * sizeof(run.mailboxes[0]),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.mailboxes == MAP_FAILED)
		die(errno, "no shared memory");
	for (unsigned int i = 0; i < NR_PEERS; i++) {
		unsigned int source = run.options->devices + i;

		run.peer_events[i] = hub_open(0, 0);
		if (!run.peer_events[i])
			die(errno, "cannot make an eventfd for process %u", i);
		peer_fork(run.peers, i, &run.mailboxes[source], hub_fd(run.peer_events[i]),
			pace_of(source));
	}
}

/* Its handle goes to the reactor, which closes it when the process hangs up. */
static void bind_peer(unsigned int i)
{
	int error = irqfd_assign(
		&run.vm, run.peer_events[i], run.options->devices + i, NULL, PATH_EVENTFD);

	if (error)
		die(-error, "cannot bind process %u", i);
	reactor_add(&run.reactor, run.peer_events[i], run.peers[i].hang_up);
}

static void plug_devices(void)
{
	for (unsigned int i = 0; i < run.options->devices; i++) {
		struct device *device = &run.devices[i];

		device->id = i;
		device->path = source_path(i);
		device->vm = &run.vm;
		device->mailbox = &run.mailboxes[i];
		device->pace = pace_of(i);
		device->cpus = run.cpus;
		device->nr_cpus = run.options->cpus + 1;
		device->reactor = &run.reactor;
		device_plug(device);
	}
	for (unsigned int i = 0; i < NR_LEVELS; i++) {
		struct level *level = &run.levels[i];

		level->gsi = run.nr_edges + i;
		level->vm = &run.vm;
		level->mailbox = &run.mailboxes[level->gsi];
		level->pace = pace_of(level->gsi);
		level_plug(level);
	}
}

static void start_cpus(struct route_entry *entries)
{
	unsigned int nr_cpus = run.options->cpus;

	run.cpu_ops = (struct cpu_ops){host_line, guest_vector, NULL, guest_woken, &run.vm};
	run.router_ops = (struct cpu_ops){host_line, guest_vector, router_run, NULL, entries};
	for (unsigned int i = 0; i < nr_cpus; i++)
		cpu_start(&run.cpus[i], i, &run.cpu_ops, &run.vm.lapics[i]);
	cpu_start(&run.cpus[nr_cpus], nr_cpus, &run.router_ops, NULL);
}

static void start_sources(void)
{
	for (unsigned int i = 0; i < run.options->devices; i++)
		device_start(&run.devices[i]);
	for (unsigned int i = 0; i < NR_LEVELS; i++)
		level_start(&run.levels[i]);
	for (unsigned int i = 0; i < NR_PEERS; i++)
		peer_begin(&run.peers[i]);
}

static void start(struct route_entry *entries)
{
	const struct run_options *options = run.options;

	plan_init(options->cpus, run.nr_edges);
	vm_init(&run.vm, IRQCHIP_FULL, options->cpus);
	run.vm.switches.route_by_pointer = run.options->route_by_pointer;
	run.vm.switches.domain_per_irqfd = run.options->domain_per_irqfd;
	run.vm.route_valid = plan_holds;
	plan_ioapic(&run.vm);
	set_next_table(entries);
	run.slots.memory = run.vm.memory;
	/* One that was unplugged may be on its way out when the next is there. */
	reactor_init(&run.reactor, 2 * run.nr_sources);
	for (unsigned int i = 0; i < NR_PEERS; i++)
		bind_peer(i);
	plug_devices();
	start_cpus(entries);
	reactor_start(&run.reactor);
	slots_start(&run.slots, pace_of(run.nr_sources));
	start_sources();
}

static void sync_cpus(void)
{
	for (unsigned int i = 0; i <= run.options->cpus; i++)
		cpu_sync(&run.cpus[i]);
}

/*
 * What has been raised is served: the worker has run, the vectors are taken, and so
 * are those that the end of a service sent once more.
 */
static void settle(void)
{
	for (int i = 0; i < 2; i++) {
		workq_flush(&run.vm.workq);
		sync_cpus();
	}
}

static void stop_peers(struct results *results)
{
	for (unsigned int i = 0; i < NR_PEERS; i++) {
		int status = peer_end(&run.peers[i]);

		results_require(results, WIFEXITED(status) && WEXITSTATUS(status) == 0,
			"other process", "%u ended with wait status %#x", i, (unsigned int)status);
	}
}

/*
 * Each step waits until the events of the step before have moved on: from the
 * sources to eventfds and host interrupts, to the worker, to the vectors, and to
 * what level-triggered devices have left to say.  The router goes last.
 */
static void stop(struct results *results)
{
	for (unsigned int i = 0; i < run.options->devices; i++)
		device_stop(&run.devices[i]);
	for (unsigned int i = 0; i < NR_LEVELS; i++)
		level_stop(&run.levels[i]);
	stop_peers(results);
	reactor_stop(&run.reactor);
	sync_cpus();
	settle();
	for (unsigned int i = 0; i < NR_LEVELS; i++)
		level_finish(&run.levels[i]);
	settle();
	slots_stop(&run.slots);
	__atomic_store_n(&run.router_quits, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i <= run.options->cpus; i++)
		cpu_stop(&run.cpus[i]);
}

static uint64_t count_lost(struct results *results)
{
	uint64_t lost = 0;

	for (unsigned int i = 0; i < run.nr_sources; i++) {
		bool is_lost = mailbox_lost(&run.mailboxes[i]);

		lost += is_lost;
		results_require(
			results, !is_lost, "lost", "no CPU saw the last event of source %u", i);
	}
	return lost;
}

/* At rest none is, of whatever kind, and no service is under way. */
static uint64_t count_lines_up(void)
{
	uint64_t up = 0;

	for (unsigned int pin = 0; pin < NR_PINS; pin++)
		up += run.vm.ioapic.irr >> pin & 1 || run.vm.ioapic.pin[pin].remote_irr;
	return up;
}

/* Unbind and end everything. */
static void take_apart(struct results *results)
{
	int error;

	for (unsigned int i = 0; i < run.options->devices; i++)
		device_unplug(&run.devices[i]);
	for (unsigned int i = 0; i < NR_LEVELS; i++)
		level_unplug(&run.levels[i]);
	error = vm_end(&run.vm);
	if (!error)
		error = devices_end();
	if (!error)
		error = hub_end();
	results_require(results, error == 0, "readers", "a domain had readers left");
}

/* Bring the machine to rest and find out what became of it. */
static void finish(struct results *results)
{
	struct srcu_stats stats;

	stop(results);
	srcu_get_stats(&run.vm.irq_srcu, &stats);
	results->invariant[LOST] = (struct figure){"lost", count_lost(results)};
	results->invariant[LINES_UP] = (struct figure){"lines up", count_lines_up()};
	take_apart(results);
	results_gather(results, &run.mailboxes[run.options->devices], &stats);
	results_check(results);
	munmap(run.mailboxes, run.nr_sources * sizeof(run.mailboxes[0]));
}

/* What the results are to be written to, opened before the run. */
struct outputs {
	FILE *json; /* or NULL */
	FILE *plot; /* or NULL */
};

static FILE *open_output(const char *name)
{
	FILE *file = fopen(name, "we");

	if (!file)
		die(errno, "cannot write %s", name);
	return file;
}

static void open_outputs(struct outputs *outputs, const struct run_options *options)
{
	memset(outputs, 0, sizeof(*outputs));
	if (options->plot) {
		plot_probe();
		outputs->plot = open_output(options->plot);
	}
	if (options->json)
		outputs->json = strcmp(options->json, "-") ? open_output(options->json) : stdout;
}

/* Returns whether all could be written. */
static bool write_outputs(struct outputs *outputs, const struct results *results)
{
	bool good = true;

	if (outputs->json != stdout)
		report_end(results);
	if (outputs->json) {
		json_write(results, outputs->json);
		if (outputs->json != stdout && fclose(outputs->json))
			die(errno, "cannot write %s", results->options->json);
	}
	if (outputs->plot) {
		good = plot_write(results, fileno(outputs->plot));
		fclose(outputs->plot);
	}
	return good;
}

int run_main(const struct run_options *options)
{
	struct route_entry *entries = zalloc(options->routes * sizeof(entries[0]));
	struct results results = {.options = options};
	struct outputs outputs;
	sigset_t ends;
	bool written;

	run.options = options;
	run.nr_edges = options->devices + NR_PEERS;
	run.nr_sources = run.nr_edges + NR_LEVELS;
	signal(SIGPIPE, SIG_IGN); /* another process may go at any time */
	open_outputs(&outputs, options);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	make_peers();
	cpu_init_signals();
	counters_init();
	start(entries);

	results.seconds = watch(options, run.vm.lapics, &run.mailboxes[options->devices], &ends);
	/* From here on a signal ends the program as it would any other. */
	pthread_sigmask(SIG_UNBLOCK, &ends, NULL);
	finish(&results);
	written = write_outputs(&outputs, &results);
	counters_free();
	free(entries);
	return results.broken || !written ? EXIT_FAILURE : EXIT_SUCCESS;
}
