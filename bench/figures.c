/* SPDX-License-Identifier: MIT */
/*
 * The figures.
 *
 * A ratio is that of the two medians.  Its spread is that of the ratios of one
 * repetition each, the k-th of the one to the k-th of the other: repetitions
 * are interleaved at random, so the k-th of each lie nearer each other in time
 * than any two.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figures.h"

struct series {
	const char *name;
	double *values; /* by repetition */
	size_t nr;
	double median; /* as reported; 0 when it was not */
};

#define GP(who, load) "gp/" who "/" load
#define ALONE         "readers:0/in_ns:0/out_ns:0"
#define EMPTY         "readers:1/in_ns:0/out_ns:0"
#define BUSY          "readers:1/in_ns:1000/out_ns:1000"
#define LONG          "readers:1/in_ns:100000/out_ns:0"

#define CONCURRENT(who, nr) "gp_concurrent/" who "/updaters:" #nr "/readers:1"

#define ISOLATION(call, who) "isolation/" call "/" who

#define SEQ(what, who, bytes) "seq_" what "/" who "/bytes:" #bytes
#define SEQ_RATE(who, rate)   "seq_read_rate/" who "/bytes:16/writes_per_ms:" #rate

#define SWAP(who, nr) "route_swap/" who "/routes:" #nr

#define THREADS(who, nr)   "read_threads/" who "/threads:" #nr
#define NESTED(who, depth) "read_nested/" who "/depth:" #depth
#define LENGTH(who, ns)    "read_length/" who "/ns:" #ns
#define UPDATES(who, rate) "read_updates/" who "/updates_per_ms:" #rate
#define HASH(who, rate)    "hash/" who "/updates_per_ms:" #rate

static const struct figure figures[] = {
	{"read/srcu_fast", "read/urcu_memb", AT_MOST, 1.05},
	{"read/srcu", "read/urcu_memb", AT_MOST, 1.4},
	{"read/srcu_fast_ptr", "read/urcu_memb", NO_BOUND, 0},
	{"read/srcu_fast_pic", "read/urcu_memb", NO_BOUND, 0},
	{"read/srcu_pic", "read/urcu_memb", NO_BOUND, 0},
	{"read/srcu_fenced", "read/urcu_mb", AT_MOST, 0.4},
	{"read/srcu_fast_pic", "read/urcu_memb_call", NO_BOUND, 0},
	{"read/srcu_fast", "read/urcu_bp", NO_BOUND, 0},
	{"read/srcu_fast", "read/ck_epoch", NO_BOUND, 0},
	{"read/srcu_fast", "read/refcount", NO_BOUND, 0},
	{"read/srcu_fast", "read/rwlock", NO_BOUND, 0},
	{"read/srcu_fast", "read/stores", NO_BOUND, 0},
	{THREADS("srcu_fast", 1), THREADS("urcu_memb", 1), NO_BOUND, 0},
	{THREADS("srcu_fast", 2), THREADS("urcu_memb", 2), NO_BOUND, 0},
	{THREADS("srcu_fast", 4), THREADS("urcu_memb", 4), NO_BOUND, 0},
	{THREADS("srcu_fast", 2), THREADS("refcount", 2), NO_BOUND, 0},
	{THREADS("srcu_fast", 2), THREADS("rwlock", 2), NO_BOUND, 0},
	{NESTED("srcu_fast", 2), NESTED("urcu_memb", 2), NO_BOUND, 0},
	{NESTED("srcu_fast", 8), NESTED("urcu_memb", 8), NO_BOUND, 0},
	{LENGTH("srcu_fast", 10), LENGTH("none", 10), NO_BOUND, 0},
	{LENGTH("srcu_fast", 100), LENGTH("none", 100), NO_BOUND, 0},
	{LENGTH("srcu_fast", 1000), LENGTH("none", 1000), NO_BOUND, 0},
	{UPDATES("srcu_fast", 1), UPDATES("urcu_memb", 1), NO_BOUND, 0},
	{UPDATES("srcu_fast", 10), UPDATES("urcu_memb", 10), NO_BOUND, 0},
	{UPDATES("srcu_fast", 100), UPDATES("urcu_memb", 100), NO_BOUND, 0},
	{UPDATES("srcu_fast", 100), UPDATES("rwlock", 100), NO_BOUND, 0},
	{HASH("srcu_fast", 10), HASH("urcu_memb", 10), NO_BOUND, 0},
	{HASH("srcu_fast", 10), HASH("urcu_qsbr", 10), NO_BOUND, 0},
	{HASH("srcu_fast", 10), HASH("rwlock", 10), NO_BOUND, 0},
	{HASH("srcu_fast", 100), HASH("urcu_memb", 100), NO_BOUND, 0},
	{"down_up/srcu", "down_up/refcount", NO_BOUND, 0},
	{"down_up/srcu_fast", "down_up/refcount", NO_BOUND, 0},
	{"down_up/srcu_fast", "down_up/semaphore", NO_BOUND, 0},
	{"churn/srcu_fast", "churn/none", NO_BOUND, 0},
	{"churn/srcu_fast", "churn/urcu_memb", NO_BOUND, 0},
	{"churn/srcu_fast", "churn/urcu_bp", NO_BOUND, 0},
	{"read_beside/other_line", "read_beside/no_scan", NO_BOUND, 0},
	{"read_beside/same_line", "read_beside/no_scan", NO_BOUND, 0},
	{GP("srcu", ALONE), GP("urcu_memb", ALONE), NO_BOUND, 0},
	{GP("srcu", EMPTY), GP("urcu_memb", EMPTY), AT_MOST, 0.6},
	{GP("srcu", BUSY), GP("urcu_memb", BUSY), AT_MOST, 0.6},
	{GP("srcu", ALONE), GP("membarrier", ALONE), AT_MOST, 1.15},
	{GP("srcu", EMPTY), GP("membarrier", EMPTY), AT_MOST, 1.15},
	{GP("srcu_fenced", ALONE), GP("urcu_mb", ALONE), NO_BOUND, 0},
	{GP("srcu_fenced", EMPTY), GP("urcu_mb", EMPTY), AT_MOST, 0.8},
	{GP("srcu_fenced", BUSY), GP("urcu_mb", BUSY), AT_MOST, 0.8},
	{GP("srcu", LONG), GP("urcu_memb", LONG), NO_BOUND, 0},
	{GP("srcu_expedited", LONG), GP("urcu_memb", LONG), NO_BOUND, 0},
	{GP("srcu_fenced", LONG), GP("urcu_mb", LONG), NO_BOUND, 0},
	{GP("srcu", EMPTY), GP("srcu_fenced", EMPTY), NO_BOUND, 0},
	{GP("srcu", LONG), GP("srcu_fenced", LONG), NO_BOUND, 0},
	{GP("srcu_fenced", EMPTY), GP("ck_epoch", EMPTY), NO_BOUND, 0},
	{CONCURRENT("srcu", 1), CONCURRENT("urcu_memb", 1), NO_BOUND, 0},
	{CONCURRENT("srcu", 8), CONCURRENT("urcu_memb", 8), AT_LEAST, 1.5},
	{CONCURRENT("srcu", 8), CONCURRENT("srcu_classic", 8), NO_BOUND, 0},
	{CONCURRENT("srcu", 16), CONCURRENT("urcu_memb", 16), NO_BOUND, 0},
	{CONCURRENT("srcu", 16), CONCURRENT("srcu_classic", 16), NO_BOUND, 0},
	{CONCURRENT("srcu_fenced", 16), CONCURRENT("urcu_mb", 16), NO_BOUND, 0},
	{"enqueue/call_srcu", "enqueue/urcu_call_rcu", AT_MOST, 0.12},
	{"enqueue_invoke/call_srcu", "enqueue_invoke/urcu_call_rcu", AT_MOST, 0.5},
	{"barrier/srcu", "barrier/urcu_memb", AT_MOST, 0.01},
	{"backlog/srcu", "backlog/urcu_memb", NO_BOUND, 0},
	{"flood/srcu", "flood/urcu_memb", NO_BOUND, 0},
	/* What the threads of a call cost depends on where the scheduler puts them. */
	{ISOLATION("synchronize", "srcu"), ISOLATION("synchronize", "srcu_alone"), AT_MOST, 1.2},
	{ISOLATION("call", "srcu"), ISOLATION("call", "srcu_alone"), AT_MOST, 1.5},
	{ISOLATION("barrier", "srcu"), ISOLATION("barrier", "srcu_alone"), AT_MOST, 1.2},
	{ISOLATION("poll", "srcu"), ISOLATION("poll", "srcu_alone"), AT_MOST, 1.2},
	{ISOLATION("synchronize", "srcu"), ISOLATION("synchronize", "urcu_memb"), NO_BOUND, 0},
	{ISOLATION("call", "srcu"), ISOLATION("call", "urcu_memb"), NO_BOUND, 0},
	{ISOLATION("barrier", "srcu"), ISOLATION("barrier", "urcu_memb"), NO_BOUND, 0},
	{"scan/cpus:2", NULL, NO_BOUND, 0},
	{"scan/cpus:64", NULL, AT_MOST, 4},
	{"scan/cpus:1024", NULL, AT_MOST, 4},
	{"scan/cpus:4096", NULL, NO_BOUND, 0},
	{"percpu/inc/this_cpu_inc", "percpu/inc/atomic_add", NO_BOUND, 0},
	{"percpu/inc/this_cpu_inc", "percpu/inc/thread_local", NO_BOUND, 0},
	{SEQ("read", "seqcount", 8), SEQ("read", "ck_sequence", 8), AT_MOST, 1.05},
	{SEQ("read", "seqcount", 16), SEQ("read", "ck_sequence", 16), AT_MOST, 1.05},
	{SEQ("read", "seqcount", 32), SEQ("read", "ck_sequence", 32), AT_MOST, 1.05},
	{SEQ("read", "seqcount", 64), SEQ("read", "ck_sequence", 64), AT_MOST, 1.05},
	{SEQ("read", "seqcount", 128), SEQ("read", "ck_sequence", 128), AT_MOST, 1.05},
	{SEQ("read", "seqcount", 256), SEQ("read", "ck_sequence", 256), AT_MOST, 1.05},
	{SEQ("read", "seqcount", 16), SEQ("read", "rwlock", 16), NO_BOUND, 0},
	{SEQ("read", "seqcount", 16), SEQ("read", "spinlock", 16), NO_BOUND, 0},
	{SEQ("read", "seqcount", 16), SEQ("read", "mutex", 16), NO_BOUND, 0},
	{SEQ("write", "seqcount", 8), SEQ("write", "ck_sequence", 8), AT_MOST, 1.05},
	{SEQ("write", "seqcount", 16), SEQ("write", "ck_sequence", 16), AT_MOST, 1.05},
	{SEQ("write", "seqcount", 32), SEQ("write", "ck_sequence", 32), AT_MOST, 1.05},
	{SEQ("write", "seqcount", 64), SEQ("write", "ck_sequence", 64), AT_MOST, 1.05},
	{SEQ("write", "seqcount", 128), SEQ("write", "ck_sequence", 128), AT_MOST, 1.05},
	{SEQ("write", "seqcount", 256), SEQ("write", "ck_sequence", 256), AT_MOST, 1.05},
	{SEQ("write_copy", "seqcount", 8), SEQ("write_copy", "ck_sequence", 8), AT_MOST, 1.05},
	{SEQ("write_copy", "seqcount", 16), SEQ("write_copy", "ck_sequence", 16), AT_MOST, 1.05},
	{SEQ("write_copy", "seqcount", 32), SEQ("write_copy", "ck_sequence", 32), AT_MOST, 1.05},
	{SEQ("write_copy", "seqcount", 64), SEQ("write_copy", "ck_sequence", 64), AT_MOST, 1.05},
	{SEQ("write_copy", "seqcount", 128), SEQ("write_copy", "ck_sequence", 128), AT_MOST, 1.05},
	{SEQ("write_copy", "seqcount", 256), SEQ("write_copy", "ck_sequence", 256), AT_MOST, 1.05},
	{SEQ_RATE("seqcount", 10), SEQ_RATE("ck_sequence", 10), AT_MOST, 1.05},
	{SEQ_RATE("seqcount", 100), SEQ_RATE("ck_sequence", 100), AT_MOST, 1.05},
	{SEQ_RATE("seqcount", 1000), SEQ_RATE("ck_sequence", 1000), AT_MOST, 1.05},
	{SEQ_RATE("seqcount", 10000), SEQ_RATE("ck_sequence", 10000), AT_MOST, 1.05},
	{SEQ_RATE("seqcount", 100), SEQ_RATE("rwlock", 100), NO_BOUND, 0},
	{SEQ_RATE("seqcount", 100), SEQ_RATE("spinlock", 100), NO_BOUND, 0},
	{SEQ_RATE("seqcount", 100), SEQ_RATE("mutex", 100), NO_BOUND, 0},
	{"inject/direct", "inject/workqueue", AT_MOST, 0.25},
	{"inject/direct", "inject/kvm", AT_MOST, 0.25},
	{"inject/direct", "inject/eventfd", NO_BOUND, 0},
	{"inject/direct", "inject/signal", NO_BOUND, 0},
	{"inject/direct/threads:2", NULL, AT_LEAST, 1e6},
	{SWAP("srcu", 1), SWAP("urcu_memb", 1), NO_BOUND, 0},
	{SWAP("srcu", 100), SWAP("urcu_memb", 100), NO_BOUND, 0},
	{SWAP("srcu", 4096), SWAP("urcu_memb", 4096), NO_BOUND, 0},
	{SWAP("srcu_expedited", 1), SWAP("urcu_memb", 1), NO_BOUND, 0},
	{SWAP("srcu_expedited", 100), SWAP("urcu_memb", 100), NO_BOUND, 0},
	{SWAP("srcu_expedited", 4096), SWAP("urcu_memb", 4096), NO_BOUND, 0},
	{SWAP("srcu_expedited", 1), SWAP("rwlock", 1), NO_BOUND, 0},
	{SWAP("srcu_expedited", 100), SWAP("rwlock", 100), NO_BOUND, 0},
	{SWAP("srcu_expedited", 4096), SWAP("rwlock", 4096), NO_BOUND, 0},
	{SWAP("model", 1), SWAP("srcu_expedited", 1), NO_BOUND, 0},
	{SWAP("model", 100), SWAP("srcu_expedited", 100), NO_BOUND, 0},
	{SWAP("model", 4096), SWAP("srcu_expedited", 4096), NO_BOUND, 0},
};

#define NR_FIGURES (sizeof(figures) / sizeof(figures[0]))

/* Every benchmark that is a side of a figure, once. */
static struct series all_series[2 * NR_FIGURES];

static bool in_a_figure(const char *name)
{
	for (size_t i = 0; i < NR_FIGURES; i++)
		if (!strcmp(figures[i].name, name) ||
			(figures[i].beside && !strcmp(figures[i].beside, name)))
			return true;
	return false;
}

/* The series of @name, new when there is none; NULL when it is in no figure. */
static struct series *series_of(const char *name)
{
	struct series *s = all_series;

	if (!in_a_figure(name))
		return NULL;
	while (s->name && strcmp(s->name, name))
		s++;
	if (!s->name)
		s->name = strdup(name);
	return s->name ? s : NULL;
}

/*
 * By the first part of a benchmark's name: the counter that is its result, and
 * its unit.  Of the others the result is the time.
 */
static const struct {
	const char *start;
	const char *counter;
	const char *unit;
} counters[] = {
	{"read_threads/", "cpu_ns", "ns"},
	{"read_updates/", "p50", "ns"},
	{"hash/", "p50", "ns"},
	{"down_up/", "p50", "ns"},
	{"churn/", "p50", "ns"},
	{"gp/", "p50", "ns"},
	{"gp_concurrent/", "calls/s", "calls/s"},
	{"enqueue/", "p50", "ns"},
	{"enqueue_invoke/", "p50", "ns"},
	{"barrier/", "p50", "ns"},
	{"backlog/", "peak", "callbacks"},
	{"flood/", "drain_ns", "ns"},
	{"isolation/", "p50", "ns"},
	{"scan/", "p50", "ns"},
	{"seq_read_rate/", "p50", "ns"},
	{"inject/direct/threads", "injections/s", "injections/s"},
	{"inject/", "p50", "ns"},
	{"route_swap/", "p50", "ns"},
};

const char *figures_counter(const char *name)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (!strncmp(name, counters[i].start, strlen(counters[i].start)))
			return counters[i].counter;
	return NULL;
}

static const char *unit_of(const char *name)
{
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (!strncmp(name, counters[i].start, strlen(counters[i].start)))
			return counters[i].unit;
	return "ns";
}

void figures_add(const char *name, double value)
{
	struct series *s = series_of(name);
	double *more;

	if (!s)
		return;
	more = realloc(s->values, (s->nr + 1) * sizeof(*more));
	if (!more)
		return;
	s->values = more;
	s->values[s->nr++] = value;
}

void figures_add_median(const char *name, double value)
{
	struct series *s = series_of(name);

	if (s)
		s->median = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts; nr is not 0. */
static double median(double *v, size_t nr)
{
	qsort(v, nr, sizeof(*v), compare);
	return (v[(nr - 1) / 2] + v[nr / 2]) / 2;
}

/* 0 when the series has no result. */
static double series_median(const struct series *s)
{
	double *sorted, m;

	if (!s->nr)
		return s->median;
	sorted = malloc(s->nr * sizeof(*sorted));
	if (!sorted)
		return 0;
	memcpy(sorted, s->values, s->nr * sizeof(*sorted));
	m = median(sorted, s->nr);
	free(sorted);
	return m;
}

/*
 * The quartiles of the ratios by repetition, of @a's results where @b is NULL;
 * 0 when there are too few.
 */
static void find_quartiles(struct result *r, const struct series *a, const struct series *b)
{
	size_t nr = b && b->nr < a->nr ? b->nr : a->nr;
	double *ratios = nr >= 3 ? malloc(nr * sizeof(*ratios)) : NULL;

	if (!ratios)
		return;
	for (size_t i = 0; i < nr; i++)
		ratios[i] = b ? a->values[i] / b->values[i] : a->values[i];
	qsort(ratios, nr, sizeof(*ratios), compare);
	r->low = ratios[nr / 4];
	r->high = ratios[nr - 1 - nr / 4];
	free(ratios);
}

/* Between its quartiles a bound is neither kept nor missed. */
static const char *judge(const struct result *r)
{
	const struct figure *f = r->figure;
	bool holds = f->kind == AT_LEAST ? r->value >= f->bound : r->value <= f->bound;

	if (f->kind == NO_BOUND)
		return "";
	if (r->low < f->bound && f->bound < r->high)
		return "noisy";
	return holds ? "holds" : "missed";
}

static bool find_result(const struct figure *f, struct result *r)
{
	const struct series *a = series_of(f->name), *b = f->beside ? series_of(f->beside) : NULL;

	*r = (struct result){.figure = f, .unit = unit_of(f->name)};
	r->ours = a ? series_median(a) : 0;
	r->theirs = b ? series_median(b) : 0;
	if (!(r->ours > 0) || (f->beside && !(r->theirs > 0)))
		return false;
	r->value = f->beside ? r->ours / r->theirs : r->ours;
	find_quartiles(r, a, b);
	r->verdict = judge(r);
	return true;
}

void figures_each(void (*take)(void *arg, const struct result *r), void *arg)
{
	for (size_t i = 0; i < NR_FIGURES; i++) {
		struct result r;

		if (find_result(&figures[i], &r))
			take(arg, &r);
	}
}
