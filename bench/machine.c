/* SPDX-License-Identifier: MIT */
/*
 * What a figure must be read with: the processor, the kernel, the compiler, the
 * peers' versions, and which of its means the library uses here.
 */
#include <dirent.h>
#include <gnu/libc-version.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "bench/shim.h"

#define CPUS            "/sys/devices/system/cpu/"
#define VULNERABILITIES CPUS "vulnerabilities"

/* The first line of @path, in @line; NULL when it cannot be read. */
static const char *read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "re");
	const char *read;

	if (!f)
		return NULL;
	read = fgets(line, size, f);
	fclose(f);
	if (read)
		line[strcspn(line, "\n")] = '\0';
	return read;
}

/* The processor's name, in @line; NULL when /proc/cpuinfo does not tell it. */
static const char *cpu_model(char *line, int size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	const char *name = NULL;

	if (!f)
		return NULL;
	while (!name && fgets(line, size, f))
		if (!strncmp(line, "model name", strlen("model name")))
			name = strstr(line, ": ");
	fclose(f);
	if (!name)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return name + strlen(": ");
}

static const char *reader_means(const struct srcu_stats *s)
{
	switch (s->counters) {
	case SRCU_COUNT_RSEQ:
		return "rseq, per CPU";
	case SRCU_COUNT_ATOMIC:
		return "atomic, per CPU (no rseq)";
	case SRCU_COUNT_TWIN:
		return "atomic, one word (no per-CPU memory)";
	}
	return "unknown";
}

static const char *updater_means(const struct srcu_stats *s)
{
	switch (s->barrier) {
	case SRCU_BARRIER_MEMBARRIER:
		return "membarrier";
	case SRCU_BARRIER_FENCES:
		return "fenced readers (no membarrier)";
	case SRCU_BARRIER_WALK:
		return "walk over the CPUs (membarrier refused)";
	}
	return "unknown";
}

/* Whether a hypervisor is under the kernel, as far as this program can tell. */
static const char *virtual_machine(char *text, size_t size)
{
#ifdef __x86_64__
	unsigned int eax, ebx, ecx, edx, name[3];

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx >> 31))
		return "no";
	__cpuid(0x40000000, eax, name[0], name[1], name[2]);
	snprintf(text, size, "yes (%.12s)", (const char *)name);
	return text;
#else
	return read_line("/proc/device-tree/hypervisor/compatible", text, (int)size) ? "yes"
										     : "unknown";
#endif
}

/*
 * Put the names of the vulnerabilities whose state begins with @state into @text;
 * "none" when there are none.
 */
static void list_vulnerabilities(DIR *dir, const char *state, char *text, size_t size)
{
	const struct dirent *entry;
	size_t used = 0;

	snprintf(text, size, "none");
	rewinddir(dir);
	while ((entry = readdir(dir)) && used < size) {
		char path[sizeof(VULNERABILITIES) + sizeof(entry->d_name)], line[256];

		snprintf(path, sizeof(path), VULNERABILITIES "/%s", entry->d_name);
		if (entry->d_name[0] == '.' || !read_line(path, line, sizeof(line)) ||
			strncmp(line, state, strlen(state)))
			continue;
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", used ? " " : "", entry->d_name);
	}
}

static void describe_vulnerabilities(void (*add)(const char *key, const char *value))
{
	DIR *dir = opendir(VULNERABILITIES);
	char text[512];

	if (!dir)
		return;
	list_vulnerabilities(dir, "Mitigation", text, sizeof(text));
	add("mitigated", text);
	list_vulnerabilities(dir, "Vulnerable", text, sizeof(text));
	add("vulnerable", text);
	closedir(dir);
}

static void describe_cpus(void (*add)(const char *key, const char *value))
{
	cpu_set_t allowed[64];
	char line[256], text[256];
	const char *model = cpu_model(line, sizeof(line));
	struct utsname un;

	uname(&un);
	add("cpu", model ? model : un.machine);
	if (!sched_getaffinity(0, sizeof(allowed), allowed)) {
		snprintf(text, sizeof(text), "%d of %ld", CPU_COUNT_S(sizeof(allowed), allowed),
			sysconf(_SC_NPROCESSORS_ONLN));
		add("cpus", text);
	}
	add("virtual machine", virtual_machine(text, sizeof(text)));
	if (read_line(CPUS "smt/active", line, sizeof(line)))
		add("hardware threads", *line == '1' ? "several per core" : "one per core");
	if (read_line(CPUS "cpu0/cpufreq/scaling_governor", line, sizeof(line)))
		add("governor", line);
	describe_vulnerabilities(add);
	add("threads", bench_pins() ? "pinned" : "not pinned");
}

void machine_describe(void (*add)(const char *key, const char *value))
{
	struct srcu_stats stats;
	struct utsname un;
	char line[256];

	describe_cpus(add);
	uname(&un);
	snprintf(line, sizeof(line), "%s %s", un.sysname, un.release);
	add("kernel", line);
	snprintf(line, sizeof(line), "glibc %s", gnu_get_libc_version());
	add("C library", line);
#ifdef __clang__
	add("compiler", __VERSION__);
#else
	add("compiler", "gcc " __VERSION__);
#endif
	add("libsrcu", PACKAGE_VERSION);
	/* The first peer is the library with its defaults; a section initialises its domain. */
	peers[0]->read_batch(1);
	if (!peers[0]->stats(&stats)) {
		add("srcu readers", reader_means(&stats));
		add("srcu grace periods", updater_means(&stats));
	}
#ifdef HAVE_LIBURCU
	add("liburcu", LIBURCU_MODULE_VERSION);
#else
	add("liburcu", "not built with it: its peers are left out");
#endif
#ifdef HAVE_CK
	add("Concurrency Kit", CK_MODULE_VERSION);
#else
	add("Concurrency Kit", "not built with it: its peers are left out");
#endif
}
