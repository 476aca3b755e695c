/* SPDX-License-Identifier: MIT */
/*
 * The grace-period benchmarks' C half: CPUs, background readers and the timed
 * loop.  One group of readers at a time; called from the program's main thread
 * only.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/reader.h"
#include "bench/shim.h"

static struct reader readers[READERS_MAX];
static unsigned int nr_readers;

/* The affinity that the program began with; as many CPUs as any kernel is built for. */
static cpu_set_t allowed[64];

/* Finds the first READERS_MAX + 1 of them. */
static unsigned int find_cpus(int *cpus)
{
	unsigned int found = 0;

	if (sched_getaffinity(0, sizeof(allowed), allowed))
		return 0;
	for (int cpu = 0; cpu < (int)sizeof(allowed) * 8 && found <= READERS_MAX; cpu++)
		if (CPU_ISSET_S((size_t)cpu, sizeof(allowed), allowed))
			cpus[found++] = cpu;
	return found;
}

/* Their number; one of them in @cpu when there are more than @index. */
static unsigned int usable_cpu(unsigned int index, int *cpu)
{
	static int cpus[READERS_MAX + 1];
	static unsigned int nr;

	/* Once, before the first pin narrows the affinity. */
	if (!nr)
		nr = find_cpus(cpus);
	if (index < nr)
		*cpu = cpus[index];
	return nr;
}

unsigned int usable_cpus(void)
{
	int unused;

	return usable_cpu(0, &unused);
}

/* An unpinned thread measures too, with more noise: failure is no error. */
static void pin_to(int cpu)
{
	cpu_set_t set[64];

	if (!bench_pins())
		return;
	CPU_ZERO_S(sizeof(set), set);
	CPU_SET_S((size_t)cpu, sizeof(set), set);
	sched_setaffinity(0, sizeof(set), set);
}

void pin_here(void)
{
	int cpu;

	if (usable_cpu(0, &cpu))
		pin_to(cpu);
}

void pin_beside(void)
{
	int cpu;

	if (usable_cpu(1, &cpu) > 1)
		pin_to(cpu);
}

unsigned int all_cpus(void)
{
	return usable_cpus() ? (unsigned int)CPU_COUNT_S(sizeof(allowed), allowed) : 0;
}

void pin_to_nth(unsigned int index)
{
	unsigned int cpus = all_cpus();
	int cpu = -1;

	if (!cpus)
		return;
	for (index = index % cpus + 1; index; index--)
		do
			cpu++;
		while (!CPU_ISSET_S((size_t)cpu, sizeof(allowed), allowed));
	pin_to(cpu);
}

void pin_off_readers(void)
{
	cpu_set_t set[64];

	if (!bench_pins())
		return;
	memcpy(set, allowed, sizeof(set));
	for (unsigned int i = 0; i < nr_readers; i++)
		if (readers[i].cpu >= 0)
			CPU_CLR_S((size_t)readers[i].cpu, sizeof(set), set);
	sched_setaffinity(0, sizeof(set), set);
}

static void *run_reader(void *arg)
{
	struct reader *reader = arg;

	if (reader->cpu >= 0)
		pin_to(reader->cpu);
	if (reader->peer->enter)
		reader->peer->enter();
	reader->peer->read_loop(reader);
	if (reader->peer->leave)
		reader->peer->leave();
	return NULL;
}

static int start_reader(struct reader *reader, const struct peer *peer, const struct load *load)
{
	unsigned int cpus;

	*reader = (struct reader){
		.peer = peer, .in_ns = load->in_ns, .out_ns = load->out_ns, .cpu = -1};
	/* Not on the updater's CPU, as long as there is another. */
	cpus = usable_cpus();
	if (bench_pins() && cpus > 1)
		usable_cpu(1 + nr_readers % (cpus - 1), &reader->cpu);
	return pthread_create(&reader->thread, NULL, run_reader, reader);
}

int readers_start(const struct peer *peer, const struct load *load)
{
	for (nr_readers = 0; nr_readers < load->readers; nr_readers++) {
		int error = start_reader(&readers[nr_readers], peer, load);

		if (error) {
			readers_stop();
			return error;
		}
	}
	for (unsigned int i = 0; i < nr_readers; i++)
		while (!__atomic_load_n(&readers[i].sections, __ATOMIC_RELAXED))
			sched_yield();
	return 0;
}

void readers_stop(void)
{
	for (unsigned int i = 0; i < nr_readers; i++)
		__atomic_store_n(&readers[i].stop, true, __ATOMIC_RELAXED);
	while (nr_readers)
		pthread_join(readers[--nr_readers].thread, NULL);
}

uint64_t readers_sections(void)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < nr_readers; i++)
		sum += __atomic_load_n(&readers[i].sections, __ATOMIC_RELAXED);
	return sum;
}

uint64_t readers_cpu_ns(void)
{
	uint64_t sum = 0;

	/* Where there is only one CPU, readers share it with the updaters. */
	if (!nr_readers || readers[0].cpu < 0)
		return now_ns();
	for (unsigned int i = 0; i < nr_readers; i++) {
		struct timespec had = {0, 0};
		clockid_t clock;

		if (!pthread_getcpuclockid(readers[i].thread, &clock))
			clock_gettime(clock, &had);
		sum += timespec_ns(&had);
	}
	return sum / nr_readers;
}

/* One reading of the clock per grace period: the end of one is the start of the next. */
void time_synchronize(const struct peer *peer, uint32_t *ns, unsigned int n)
{
	uint64_t began = now_ns();

	for (unsigned int i = 0; i < n; i++) {
		uint64_t ended;

		peer->synchronize();
		ended = now_ns();
		ns[i] = short_ns(ended - began);
		began = ended;
	}
}

/* The least of some times: in the others something else ran. */
static uint64_t time_spins(unsigned long spins)
{
	uint64_t least = UINT64_MAX;

	for (unsigned int i = 0; i < 100; i++) {
		uint64_t began = now_ns(), took;

		spin(spins);
		took = now_ns() - began;
		least = took < least ? took : least;
	}
	return least ? least : 1;
}

unsigned long spins_in(uint64_t ns)
{
	const unsigned long some = 10000;
	static uint64_t took;

	if (!took)
		took = time_spins(some);
	return (unsigned long)(ns * some / took);
}

uint64_t clock_ns(void)
{
	return now_ns();
}

uint64_t voluntary_switches(void)
{
	struct rusage used = {0};

	getrusage(RUSAGE_SELF, &used);
	return (uint64_t)used.ru_nvcsw;
}

int64_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(f);
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}
