/* SPDX-License-Identifier: MIT */
/*
 * The list of peers that guard an object, and the writer beside whom it is read.
 * The program walks the list; nothing else knows the adapters.  One writer at a
 * time; called from the program's main thread only.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "bench/reader.h"
#include "bench/seq.h"
#include "bench/shim.h"

const struct seq_peer *const seq_peers[] = {
	&seq_seqcount,
	&seq_latch,
#ifdef HAVE_CK
	&seq_ck,
#endif
	&seq_rwlock,
	&seq_spinlock,
	&seq_mutex,
	NULL,
};

static struct {
	/* Written by the writer; on a line of its own. */
	uint64_t writes __attribute__((aligned(128)));

	/* Written before the writer starts, and stop at its end. */
	const struct seq_object *object __attribute__((aligned(128)));
	uint64_t period_ns;
	pthread_t thread;
	bool stop;
} writer;

/* Relaxed: stop and the number carry no data. */
static void *run_writer(void *unused)
{
	uint64_t due = now_ns();

	pin_beside();
	while (!__atomic_load_n(&writer.stop, __ATOMIC_RELAXED)) {
		uint64_t now = now_ns();

		if (now < due)
			continue;
		writer.object->write(1);
		__atomic_store_n(&writer.writes, writer.writes + 1, __ATOMIC_RELAXED);
		/* What was not written in time is not made up for. */
		due += writer.period_ns;
		if (due < now)
			due = now;
	}
	return unused;
}

int seq_writer_start(const struct seq_object *object, unsigned int writes_per_ms)
{
	int error;

	writer.object = object;
	writer.period_ns = 1000000u / writes_per_ms;
	writer.writes = 0;
	writer.stop = false;
	error = pthread_create(&writer.thread, NULL, run_writer, NULL);
	while (!error && !seq_writer_writes())
		sched_yield();
	return error;
}

void seq_writer_stop(void)
{
	__atomic_store_n(&writer.stop, true, __ATOMIC_RELAXED);
	pthread_join(writer.thread, NULL);
}

uint64_t seq_writer_writes(void)
{
	return __atomic_load_n(&writer.writes, __ATOMIC_RELAXED);
}

uint64_t seq_reader_preemptions(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : (uint64_t)usage.ru_nivcsw;
}
