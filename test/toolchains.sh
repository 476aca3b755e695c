#!/bin/sh
# SPDX-License-Identifier: MIT
# The library and some of its tests, built from the sources by other tool chains than
# configure chose: each optimisation level, link-time optimisation, static programs, a
# 32-bit machine, another C library.  What is not installed is skipped, and said.
top=$(cd "$(dirname "$0")/.." && pwd) || exit 99
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
status=0 ran=0

cat >config.h <<END
#define SRCU_FANOUT 16
END
warnings='-Wall -Wextra -Wshadow -Wconversion -Werror'

# A program that needs nothing but the library: readers, grace periods and callbacks of
# several threads, in static and in initialised domains.
cat >program.c <<'END'
#include <pthread.h>
#include <sched.h>
#include <seqcount/seqlock.h>
#include <srcu/list.h>
#include <srcu/notifier.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

DEFINE_SRCU(fixed);
static struct srcu_struct dynamic;
static int stop;
static uint64_t *current, *counter;

struct item {
	struct srcu_head head;
	int called;
};

static void called(struct srcu_head *head)
{
	((struct item *)head)->called = 1;
}

static void *reader(void *arg)
{
	struct srcu_struct *ssp = arg;

	for (unsigned long i = 0; i < 20000; i++) {
		int idx = srcu_read_lock(ssp);

		if (*srcu_dereference(current, ssp) != 1)
			abort();
		srcu_read_unlock(ssp, idx);
		srcu_guard(ssp);
		if (*srcu_dereference(current, ssp) != 1)
			abort();
		this_cpu_inc(*counter);
	}
	__atomic_fetch_add(&stop, 1, __ATOMIC_RELEASE);
	return NULL;
}

struct waiter {
	uint64_t limit_ns;
	int tid;
	pthread_t thread;
};

static void *wait_for_readers(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, gettid(), __ATOMIC_RELEASE);
	return synchronize_srcu_timeout(&dynamic, waiter->limit_ns) ? arg : NULL;
}

static void await_asleep(struct waiter *waiter)
{
	char path[64], state = 0;
	int tid;

	if (pthread_create(&waiter->thread, NULL, wait_for_readers, waiter))
		abort();
	while (!(tid = __atomic_load_n(&waiter->tid, __ATOMIC_ACQUIRE)))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	while (state != 'S') {
		FILE *stat = fopen(path, "r");

		if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			abort();
		fclose(stat);
	}
}

/* One who waits for another's grace period sleeps, also with more seconds than a long has. */
static void wait_for_a_lifetime(void)
{
	struct waiter leader = {.limit_ns = UINT64_MAX};
	struct waiter follower = {.limit_ns = 2500000000u * (uint64_t)1000000000};
	int idx = srcu_read_lock(&dynamic);
	void *failed = NULL;

	await_asleep(&leader);
	await_asleep(&follower);
	srcu_read_unlock(&dynamic, idx);
	if (pthread_join(leader.thread, &failed) || failed ||
		pthread_join(follower.thread, &failed) || failed)
		abort();
}

int main(void)
{
	static uint64_t values[2] = {1, 1};
	static struct item items[2];
	pthread_t threads[4];

	counter = alloc_percpu(uint64_t);
	if (!counter || init_srcu_struct(&dynamic))
		return 1;
	current = &values[0];
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, reader, i % 2 ? &dynamic : &fixed))
			return 1;
	for (int next = 1; __atomic_load_n(&stop, __ATOMIC_ACQUIRE) < 4; next ^= 1) {
		__atomic_store_n(&values[next], 1, __ATOMIC_RELAXED);
		srcu_assign_pointer(current, &values[next]);
		synchronize_srcu(&fixed);
		synchronize_srcu(&dynamic);
		__atomic_store_n(&values[next ^ 1], 1000, __ATOMIC_RELAXED);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	if (call_srcu(&fixed, &items[0].head, called) ||
		call_srcu(&dynamic, &items[1].head, called) || srcu_barrier(&fixed) ||
		srcu_barrier(&dynamic) || !items[0].called || !items[1].called)
		return 1;
	if (percpu_sum(counter) != 80000)
		return 1;
	free_percpu(counter);
	wait_for_a_lifetime();
	return cleanup_srcu_struct(&fixed) || cleanup_srcu_struct(&dynamic);
}
END

skip()
{
	echo "skipped: $1"
}

# tool NAME CC FLAGS [LIBS]: build the library and the program, and run it.
tool()
{
	name=$1 cc=$2 flags=$3
	command -v "$cc" >/dev/null || {
		skip "$name: no $cc"
		return
	}
	echo 'int main(void) { return 0; }' >probe.c
	# shellcheck disable=SC2086 # flags are lists
	if ! $cc $flags -pthread -o probe probe.c >probe.log 2>&1 || ! ./probe; then
		skip "$name: $cc cannot build for it"
		return
	fi
	ran=$((ran + 1))
	# shellcheck disable=SC2086
	if $cc $flags $warnings -std=gnu11 -D_GNU_SOURCE -DSRCU_BUILD -DSRCU_INLINE_READERS \
		-include config.h -I"$top" -pthread -o program "$top"/srcu/*.c program.c \
		${4:-} >build.log 2>&1 && timeout 120 ./program >run.log 2>&1; then
		echo "ok: $name"
	else
		echo "FAILED: $name"
		cat build.log run.log 2>/dev/null
		status=1
	fi
	rm -f run.log
}

for cc in gcc clang; do
	for level in -O0 -O1 -O2 -O3 -Os; do
		tool "$cc $level" "$cc" "$level"
	done
	tool "$cc static" "$cc" '-O2 -static'
	tool "$cc static-pie" "$cc" '-O2 -static-pie -fPIE'
done
# The kernel's headers are where gcc-multilib links to, which no cross compiler suffers beside it.
tool "gcc 32 bits" gcc '-O2 -m32 -idirafter /usr/include/x86_64-linux-gnu' -latomic
tool "gcc LTO" gcc '-O2 -flto'
tool "gcc LTO, static" gcc '-O2 -flto -static'
tool "clang LTO" clang '-O2 -flto -fuse-ld=lld'


# The kernel's headers alone of those that are not musl's own.
mkdir kernel
for headers in linux asm-generic "$(gcc -print-multiarch)/asm"; do
	ln -s "/usr/include/$headers" "kernel/${headers##*/}"
done
tool "musl" musl-gcc '-O2 -idirafter kernel'
tool "musl, static" musl-gcc '-O2 -static -idirafter kernel'

[ "$ran" -gt 0 ] || exit 77
exit $status
