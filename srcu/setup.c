/* SPDX-License-Identifier: MIT */
/*
 * What this process and this kernel offer, found out once: possible CPUs,
 * restartable sequences, and what SRCU_FORCE switches off for tests.  All of it
 * is async-signal-safe and may run before the constructor, which only makes
 * sure that it runs while the process is young.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define FORCE_KNOWN 0x80000000u
#define NS_PER_MS   1000000u

uint32_t srcu_percpu_mark_;

static uint32_t forced;
static uint32_t forced_cpus;
static uint32_t possible_cpus;

static const struct {
	const char *word;
	enum forced what;
} force_words[] = {
	{"norseq", FORCE_NORSEQ},
	{"nomembarrier", FORCE_NOMEMBARRIER},
	{"nomemory", FORCE_NOMEMORY},
	{"classic", FORCE_CLASSIC},
	{"tree", FORCE_TREE},
};

#define CPUS     "cpus="
#define MAX_CPUS 65536

static uint32_t force_word(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(force_words) / sizeof(force_words[0]); i++)
		if (strlen(force_words[i].word) == length &&
			!strncmp(word, force_words[i].word, length))
			return force_words[i].what;
	if (length > strlen(CPUS) && !strncmp(word, CPUS, strlen(CPUS)) &&
		strlen(CPUS) + strspn(word + strlen(CPUS), "0123456789") == length) {
		unsigned long n = strtoul(word + strlen(CPUS), NULL, 10);

		__atomic_store_n(
			&forced_cpus, n < MAX_CPUS ? (uint32_t)n : MAX_CPUS, __ATOMIC_RELAXED);
		return 0;
	}
	srcu_warn(NULL,
		"SRCU_FORCE: '%.*s' is not norseq, nomembarrier, nomemory, classic, tree "
		"or cpus=<n>",
		(int)length, word);
	return 0;
}

static uint32_t force_parse(void)
{
	const char *list = secure_getenv("SRCU_FORCE");
	uint32_t mask = FORCE_KNOWN;

	while (list && *list) {
		size_t length = strcspn(list, ",");

		if (length)
			mask |= force_word(list, length);
		list += length + (list[length] == ',');
	}
	return mask;
}

bool srcu_forced(unsigned int what)
{
	uint32_t mask = __atomic_load_n(&forced, __ATOMIC_RELAXED);

	if (!mask) {
		mask = force_parse();
		__atomic_store_n(&forced, mask, __ATOMIC_RELAXED);
	}
	return mask & what;
}

bool srcu_have_rseq(void)
{
#ifdef SRCU_RSEQ_INLINE
	return __rseq_size > 0 && !srcu_forced(FORCE_NORSEQ);
#else
	return false;
#endif
}

/*
 * The kernel copies as many bytes of a CPU mask as it has CPU ids, which counts
 * the possible ones, whatever is online or allowed.  Refused, we assume many:
 * a CPU above is counted on the twin.
 */
unsigned int nr_possible_cpus(void)
{
	uint32_t n = __atomic_load_n(&possible_cpus, __ATOMIC_RELAXED);
	unsigned long mask[8192 / (8 * sizeof(long))];
	int saved_errno = errno;
	long bytes;

	if (likely(n))
		return n;
	bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	n = bytes > 0 ? (uint32_t)bytes * 8 : 1024;
	srcu_forced(0);
	if (n < __atomic_load_n(&forced_cpus, __ATOMIC_RELAXED))
		n = forced_cpus;
	__atomic_store_n(&possible_cpus, n, __ATOMIC_RELAXED);
	errno = saved_errno;
	return n;
}

int srcu_this_cpu(void)
{
#ifdef SRCU_RSEQ_INLINE
	int cpu = srcu_rseq_cpu_();

	if (likely(cpu >= 0))
		return cpu;
#endif
	return sched_getcpu();
}

/*
 * Where the clock is refused, it goes on from when it last was not, a millisecond at each
 * look: what waits for a time does not wait for ever.  Keeps errno.
 */
uint64_t srcu_now_ns(void)
{
	static uint64_t latest; /* rarely written: callers on many CPUs read it */
	int saved_errno = errno;
	struct timespec time;
	uint64_t now;

	if (unlikely(clock_gettime(CLOCK_MONOTONIC, &time))) {
		errno = saved_errno;
		return __atomic_add_fetch(&latest, NS_PER_MS, __ATOMIC_RELAXED);
	}
	now = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
	if (now / NS_PER_MS != __atomic_load_n(&latest, __ATOMIC_RELAXED) / NS_PER_MS)
		__atomic_store_n(&latest, now, __ATOMIC_RELAXED);
	return now;
}

static bool exiting;

bool srcu_exiting(void)
{
	return __atomic_load_n(&exiting, __ATOMIC_RELAXED);
}

static void note_exit(void)
{
	__atomic_store_n(&exiting, true, __ATOMIC_RELAXED);
}

/*
 * From now on exit() is told from dlclose(), which both run an object's
 * destructors.  Handlers that were registered before main() run too late for that,
 * so it is no constructor's work.  Not async-signal-safe.
 */
void srcu_watch_exit(void)
{
	static bool watching;

	if (unlikely(!__atomic_load_n(&watching, __ATOMIC_RELAXED)) &&
		!__atomic_exchange_n(&watching, true, __ATOMIC_RELAXED))
		atexit(note_exit);
}

void srcu_setup(void)
{
	__atomic_store_n(
		&srcu_percpu_mark_, srcu_have_rseq() ? nr_possible_cpus() : 0, __ATOMIC_RELAXED);
	srcu_have_membarrier();
	srcu_have_rseq_barrier();
}

/* Early: registering with membarrier is cheap while there is one thread. */
__attribute__((constructor)) static void constructor(void)
{
	srcu_setup();
}
