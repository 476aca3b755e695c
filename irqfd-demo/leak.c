/* SPDX-License-Identifier: MIT */
/*
 * irqfd-demo leak: why a reader count has to be safe against interrupts.
 *
 * One thread begins and ends sections of a domain while a signal handler on the
 * same thread does so too.  Where the lock counts by load, add and store, the
 * handler's count is overwritten when it comes between load and store; the
 * domain then has more unlocks than locks for ever, and cleanup says so.
 *
 * The thread stays on one CPU, as the kernel's code does with preemption off, so
 * that interrupts are all there is to lose counts to.
 */
#include "demo.h"

#include <srcu/srcu.h>

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGINTERRUPT SIGRTMIN
#define ROUND        20000        /* interrupts in one round of a storm, */
#define ROUND_NS     1000000000u  /* or its length, whichever comes first */
#define LIMIT_NS     10000000000u /* for the first count to be lost */
#define BATCH        64           /* sections between two looks at the storm */

/* Where the domain's readers are counted, as the token says. */
static struct srcu_struct domain;
static struct srcu_ctr *counter;

/* The storm's and the handler's. */
static pthread_t victim;
static cpu_set_t elsewhere;
static void (*section)(void);
static uint64_t served; /* interrupts; written by the handler alone */
static uint32_t round_over;

static uint64_t warnings;
static char last_warning[256];

/* The lock as it was before it was made safe.  The unlock has always been. */
static void section_plain(void)
{
	__this_cpu_inc(counter->srcu_locks);
	srcu_read_unlock_fast(&domain, counter);
}

static void section_real(void)
{
	srcu_read_unlock_fast(&domain, srcu_read_lock_fast(&domain));
}

static void interrupt_handler(int signal)
{
	(void)signal;
	section();
	__atomic_store_n(&served, served + 1, __ATOMIC_RELEASE);
}

static void note_warning(const struct srcu_struct *ssp, const char *message)
{
	(void)ssp;
	warnings++;
	snprintf(last_warning, sizeof(last_warning), "%s", message);
}

/* Interrupt the victim, one signal at a time: it is served before the next is sent. */
static void *storm_main(void *argument)
{
	uint64_t first = __atomic_load_n(&served, __ATOMIC_ACQUIRE), end = now_ns() + ROUND_NS;

	(void)argument;
	sched_setaffinity(0, sizeof(elsewhere), &elsewhere);
	for (uint64_t n = first; n < first + ROUND && now_ns() < end; n++) {
		int error = pthread_kill(victim, SIGINTERRUPT);

		if (error)
			die(error, "cannot send a real-time signal");
		while (__atomic_load_n(&served, __ATOMIC_ACQUIRE) == n)
			sched_yield();
	}
	__atomic_store_n(&round_over, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* One round; returns the sections that this thread itself ran. */
static uint64_t storm_round(void)
{
	uint64_t sections = 0;
	pthread_t storm;

	__atomic_store_n(&round_over, 0, __ATOMIC_RELAXED);
	storm = thread_spawn(storm_main, NULL, "storm");
	while (!__atomic_load_n(&round_over, __ATOMIC_ACQUIRE)) {
		for (int i = 0; i < BATCH; i++)
			section();
		sections += BATCH;
	}
	pthread_join(storm, NULL);
	return sections;
}

/* Stay on this CPU, and keep the storm on others if there are any. */
static void pin(void)
{
	int cpu = sched_getcpu();
	cpu_set_t here;

	if (cpu < 0 || sched_getaffinity(0, sizeof(elsewhere), &elsewhere))
		die(errno, "cannot tell which CPU this is");
	CPU_ZERO(&here);
	CPU_SET((unsigned int)cpu, &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		die(errno, "cannot stay on CPU %d", cpu);
	if (CPU_COUNT(&elsewhere) > 1)
		CPU_CLR((unsigned int)cpu, &elsewhere);
}

static void domain_begin(void)
{
	int error = init_srcu_struct_with(&domain, &(struct srcu_options){.name = "leak"});

	if (error)
		die(-error, "cannot initialise the domain");
	counter = srcu_read_lock_fast(&domain);
	srcu_read_unlock_fast(&domain, counter);
}

/* Unlocks less locks over all CPUs.  No section is under way. */
static uint64_t deficit(void)
{
	struct srcu_stats stats;

	srcu_get_stats(&domain, &stats);
	return (uint64_t)0 - stats.readers;
}

static int clean_up(const char *what)
{
	uint64_t before = warnings;
	int error = cleanup_srcu_struct(&domain);

	printf("  %-28s ", what);
	if (error == -EBUSY)
		printf("-EBUSY");
	else
		printf("%d", error);
	if (warnings != before)
		printf(", with a warning:\n    %s\n", last_warning);
	else
		printf(", no warning\n");
	return error;
}

/*
 * End a phase: @lost increments are missing, and cleanup must tell.  Then make
 * up for exactly that many, after which there must be nothing to tell.
 */
static bool domain_end(uint64_t lost)
{
	uint64_t before = warnings;

	if (!lost)
		return clean_up("cleanup_srcu_struct()") == 0 && warnings == before;
	if (clean_up("cleanup_srcu_struct()") != -EBUSY || warnings == before)
		return false;
	for (uint64_t i = 0; i < lost; i++)
		(void)srcu_read_lock_fast(&domain);
	before = warnings;
	return clean_up("once they are made up for") == 0 && warnings == before;
}

static void print_counts(uint64_t sections, uint64_t interrupts, uint64_t lost)
{
	printf("  %-28s %" PRIu64 " on the thread, %" PRIu64 " in interrupts\n", "sections",
		sections, interrupts);
	printf("  %-28s %" PRIu64 "\n", "increments lost", lost);
}

/* Storms until a count is lost, or as many as @rounds says; returns how many there were. */
static unsigned int storm(unsigned int rounds, uint64_t *lost)
{
	uint64_t first = served, sections = 0, end = now_ns() + LIMIT_NS;
	unsigned int done = 0;

	domain_begin();
	do {
		sections += storm_round();
		*lost = deficit();
		done++;
	} while (rounds ? done < rounds : !*lost && now_ns() < end);
	print_counts(sections, served - first, *lost);
	return done;
}

static bool show_plain(unsigned int *rounds)
{
	uint64_t lost;

	printf("1. The lock is __this_cpu_inc(): load, add, store.\n");
	section = section_plain;
	*rounds = storm(0, &lost);
	return domain_end(lost) && lost > 0;
}

static bool show_real(unsigned int rounds)
{
	uint64_t lost;

	printf("\n2. The lock is this_cpu_inc(), as in srcu_read_lock_fast().\n");
	section = section_real;
	storm(rounds, &lost);
	return domain_end(lost) && lost == 0;
}

static bool show_window(unsigned int count)
{
	uint64_t lost;

	printf("\n3. The interrupt comes between load and store, %u time%s.\n", count,
		count == 1 ? "" : "s");
	section = section_plain;
	domain_begin();
	for (unsigned int i = 0; i < count; i++) {
		uint64_t locks = __this_cpu_read(counter->srcu_locks);

		raise(SIGINTERRUPT);
		__this_cpu_write(counter->srcu_locks, locks + 1);
		srcu_read_unlock_fast(&domain, counter);
	}
	lost = deficit();
	print_counts(count, count, lost);
	return domain_end(lost) && lost == count;
}

static bool report(bool as_expected, const char *expectation)
{
	printf("  %s: %s\n", as_expected ? "as expected" : "NOT AS EXPECTED", expectation);
	fflush(stdout);
	return as_expected;
}

int leak_main(unsigned int count)
{
	struct sigaction action = {.sa_handler = interrupt_handler, .sa_flags = SA_RESTART};
	unsigned int rounds;
	bool good;

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGINTERRUPT, &action, NULL))
		die(errno, "cannot handle a real-time signal");
	srcu_set_warn_handler(note_warning);
	victim = pthread_self();
	pin();

	good = report(show_plain(&rounds), "increments disappear, and cleanup warns");
	good &= report(show_real(rounds), "nothing is lost, and cleanup is silent");
	good &= report(show_window(count), "one increment is lost for each interrupt");
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
