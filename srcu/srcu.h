/* SPDX-License-Identifier: MIT */
/*
 * Sleepable RCU.  A domain (struct srcu_struct) has readers, which may block,
 * run in signal handlers, need no registration and may end in another thread,
 * and updaters, which wait for the readers of that domain alone.
 *
 * This header holds the domain, its life and its diagnostics; the reader side is
 * in <srcu/reader.h> and the update side in <srcu/update.h>, which it includes.
 * srcu(7) has the guarantees and the argument for every barrier.
 */
#ifndef SRCU_SRCU_H
#define SRCU_SRCU_H

#include <srcu/percpu.h>
#include <stdio.h>

#define SRCU_VERSION_MAJOR 0
#define SRCU_VERSION_MINOR 1

#ifdef __cplusplus
extern "C" {
#endif

/* Read and written by single instructions, also where a uint64_t is aligned to 4 bytes. */
typedef uint64_t srcu_u64_ __attribute__((aligned(8)));

/*
 * One rank's counts on one CPU, or on the twin.  A read-side critical section
 * adds one to the locks of the CPU it begins on and one to the unlocks of the
 * CPU it ends on; only sums over all CPUs mean anything.
 */
struct srcu_ctr {
	srcu_u64_ srcu_locks;
	srcu_u64_ srcu_unlocks;
};

/**
 * struct srcu_head - a callback of call_srcu()
 *
 * Part of the object that the callback will free.  Needs no initialisation.
 */
struct srcu_head {
	struct srcu_head *next_;
	void (*func_)(struct srcu_head *);
	uintptr_t queued_; /* marks a head that waits to be invoked */
};

/* Callbacks in the order in which they will be invoked. */
struct srcu_batch_ {
	struct srcu_head *first;
	struct srcu_head *last; /* NULL: there are none */
	srcu_u64_ number;       /* of the grace period that they wait for */
};

struct srcu_barrier_;
struct srcu_node_;

/*
 * A domain.  Its members belong to the library; the layout of the first 16
 * bytes is ABI, for the inline readers, and so is the size.
 */
struct srcu_struct {
	/* Read by every reader. */
	uintptr_t word_; /* CPU 0's counts of the current rank, with tags in the low bits */
	uint32_t mark_;  /* CPUs below it are counted on inline; 0 sends all readers out of line */
	uint32_t cpus_;  /* CPUs below it may have counts: what a scan covers */

	/* Written when the domain is initialised. */
	const char *name_;
	uint32_t magic_;
	uint32_t flags_;
	srcu_u64_ pad0_[4];

	/* Counts of readers that could not run a restartable sequence, by rank. */
	struct srcu_ctr twin_[2];
	srcu_u64_ pad1_[4];

	/* Written by updaters; a grace period has a number, one more than the one before. */
	srcu_u64_ started_; /* the latest to have begun */
	srcu_u64_ done_;    /* the latest to have ended */
	srcu_u64_ needed_;  /* the latest that somebody polls for */
	srcu_u64_ hurried_; /* up to this one they are expedited */
	uint32_t gp_lock_;
	uint32_t gp_pending_;   /* ranks that the running one waits for, a bit each */
	uint32_t gp_kick_;      /* what its leader sleeps on; changed to wake it */
	uint32_t gp_crowd_;     /* callers that did not get the lock since it began */
	srcu_u64_ gp_since_;    /* when the running one was first found to take time, or 0 */
	srcu_u64_ gp_reported_; /* the wait at which it was last reported, or 0 */
	srcu_u64_ gp_last_;     /* when the latest that took time ended */
	srcu_u64_ shared_;
	srcu_u64_ membarriers_;
	srcu_u64_ longest_ns_;
	struct srcu_node_ *tree_; /* of a domain that many CPUs update at once */
	struct srcu_struct *next_slotless_;
	srcu_u64_ pad2_[2];

	/* Callbacks: what call_srcu() and their consumers write. */
	uintptr_t lists_;          /* CPU 0's list of those that are pushed on, or 0 */
	uint32_t lists_mark_;      /* CPUs below it have lists */
	uint32_t active_;          /* the grace-period thread knows of this domain */
	struct srcu_head *pushed_; /* those that could not be pushed on a CPU's list */
	srcu_u64_ pushed_count_;   /* how many were ever pushed there */
	uint32_t cb_lock_;         /* for what follows */
	uint32_t cb_event_;        /* changes to wake those who wait for callbacks */
	uint32_t cb_sleepers_;     /* those who may sleep on it */
	uint32_t invoker_;         /* the thread that invokes, or 0 */
	struct srcu_batch_ batches_[5];
	struct srcu_head *chain_[4]; /* a list on its way to the first of them */
	struct srcu_barrier_ *barriers_;
	srcu_u64_ invoked_;        /* callbacks that have returned */
	struct srcu_struct *next_; /* in the grace-period thread's list */
	srcu_u64_ look_;           /* when that thread looks next */
	uint32_t generation_; /* of the process, by forks, that the callbacks are in order for */
	uint32_t slot_generation_; /* and that the slot was taken for, after a fork */

	/* Debug mode. */
	uint32_t open_[2];  /* sections under way by rank: no fewer are */
	uint32_t limit_ms_; /* the wait after which one is reported; 0: the usual one */
	uint32_t reserved_;
};

#define SRCU_WORD_UNINIT_  1u
#define SRCU_MAGIC_        0x73726375u
#define SRCU_WINDOW_SHIFT_ 35

#define SRCU_NO_BATCH_        \
	{                     \
		NULL, NULL, 0 \
	}
#define SRCU_STRUCT_INIT_(name)                                                                   \
	{                                                                                         \
		SRCU_WORD_UNINIT_, 0, 0, #name, SRCU_MAGIC_, 0, {0}, {{0, 0}, {0, 0}}, {0}, 0, 0, \
			0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, {0}, 0, 0, 0, NULL, 0, 0, \
			0, 0, 0,                                                                  \
			{SRCU_NO_BATCH_, SRCU_NO_BATCH_, SRCU_NO_BATCH_, SRCU_NO_BATCH_,          \
				SRCU_NO_BATCH_},                                                  \
			{NULL, NULL, NULL, NULL}, NULL, 0, NULL, 0, 0, 0, {0, 0}, 0, 0            \
	}

/* The object that holds a static domain is being unloaded. */
SRCU_API void srcu_unload_(struct srcu_struct *ssp);

/*
 * Behind the definition of a static domain: an object that can be unloaded has a
 * destructor for it, the last of its destructors.  The typedef takes the semicolon.
 */
#ifdef SRCU_UNLOADABLE_
#define SRCU_UNLOAD_(name, ssp)                                                       \
	;                                                                             \
	__attribute__((destructor(101))) static void srcu_unload_##name##_(void)      \
	{                                                                             \
		srcu_unload_(ssp);                                                    \
		__asm__ __volatile__(""); /* no tail call: reports name the object */ \
	}                                                                             \
	typedef int srcu_unload_##name##_t_
#else
#define SRCU_UNLOAD_(name, ssp)
#endif

/**
 * DEFINE_SRCU, DEFINE_STATIC_SRCU - define a domain at file scope
 * @name: the variable's name, and the domain's in reports
 *
 * Ready for use without init_srcu_struct(): the first reader or updater, which
 * may be in a signal handler, takes the memory it needs.  When there is none,
 * readers are slower and all else is the same.  cleanup_srcu_struct() may be
 * called on it and ends its use.
 *
 * In an object that dlclose() unloads, the domain gives back what it holds when
 * the object's destructors run.  Callbacks that are left are reported and waited
 * for; readers inside are reported.  At the exit of the process nothing of this
 * happens, if by then the program has waited for a grace period or asked for threads;
 * until then the library cannot tell the two apart.
 *
 * Origin: Linux, DEFINE_SRCU() and DEFINE_STATIC_SRCU().
 */
#define DEFINE_SRCU(name) \
	struct srcu_struct name = SRCU_STRUCT_INIT_(name) SRCU_UNLOAD_(name, &name)
#define DEFINE_STATIC_SRCU(name) \
	static struct srcu_struct name = SRCU_STRUCT_INIT_(name) SRCU_UNLOAD_(name, &name)

/** enum srcu_reader_mode - what orders a domain's readers against its updaters */
enum srcu_reader_mode {
	/* membarrier readers where the kernel has membarrier, else fenced ones */
	SRCU_READERS_DEFAULT,
	/*
	 * Readers without fences; a grace period issues
	 * membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED).
	 */
	SRCU_READERS_MEMBARRIER,
	/* Readers with a full fence each; a grace period makes no system call. */
	SRCU_READERS_FENCED,
};

/** enum srcu_update_side - how a domain's updaters are organised */
enum srcu_update_side {
	SRCU_UPDATES_DEFAULT, /* SRCU_UPDATES_TREE */
	/* One lock, and one list of callbacks. */
	SRCU_UPDATES_CLASSIC,
	/*
	 * A list of callbacks for each CPU; and, once so many wait at the same time that
	 * they are in each other's way, a combining tree in front of the lock.
	 */
	SRCU_UPDATES_TREE,
};

/** enum srcu_callback_mode - who invokes a domain's callbacks */
enum srcu_callback_mode {
	SRCU_CALLBACKS_THREADS, /* threads of the library, which all domains share */
	SRCU_CALLBACKS_CALLER,  /* the program, by srcu_run_callbacks() */
};

/**
 * struct srcu_options - what init_srcu_struct_with() takes
 *
 * Zero members mean the default, so that a struct with some members named
 * stays right when members are added.
 */
struct srcu_options {
	const char *name; /* for reports; not copied; NULL: the domain's address */
	enum srcu_reader_mode readers;
	enum srcu_update_side updates;
	enum srcu_callback_mode callbacks;
	bool debug;            /* debug mode from the start: see srcu_debug() */
	uintptr_t reserved[5]; /* zero */
};

/**
 * init_srcu_struct - initialise a domain
 * @ssp: memory for it, of any contents
 *
 * Context: any thread, also inside a reader; not a signal handler.  Does not
 * block.
 * Return: 0; -EINVAL when @ssp is NULL; -ENOMEM when there is no per-CPU memory.
 * Origin: Linux, init_srcu_struct().
 */
SRCU_API int init_srcu_struct(struct srcu_struct *ssp);

/**
 * init_srcu_struct_with - initialise a domain with options
 * @ssp: memory for it, of any contents
 * @options: what differs from the default, or NULL
 *
 * Context: as init_srcu_struct().
 * Return: as init_srcu_struct(); also -EINVAL for an unknown option, and
 * -EOPNOTSUPP when SRCU_READERS_MEMBARRIER is asked for and the kernel has no
 * membarrier.
 * Origin: ours.
 */
SRCU_API int init_srcu_struct_with(struct srcu_struct *ssp, const struct srcu_options *options);

/**
 * cleanup_srcu_struct - end the use of a domain and free what it holds
 * @ssp: the domain
 *
 * When a reader is inside, a grace period is under way or a callback has not
 * returned it says so through the warn handler, frees nothing and leaves the
 * domain usable: free the memory around it only after a return of 0.
 * srcu_barrier() before it takes care of the callbacks.  On a domain that was
 * cleaned up before, or never initialised, it warns and returns -EINVAL.
 *
 * Context: any thread; not a signal handler, not inside a reader or a callback
 * of @ssp.  May run a full barrier on every CPU, and blocks until the library's
 * threads have let go of @ssp, but does not wait for readers.
 * Ordering: sections that ended before come before the return.
 * Return: 0, -EBUSY or -EINVAL.
 * Origin: Linux, where it warns and leaks instead of returning an error.
 */
SRCU_API int cleanup_srcu_struct(struct srcu_struct *ssp);

/** enum srcu_barrier_kind - how grace periods order readers in this process */
enum srcu_barrier_kind {
	SRCU_BARRIER_MEMBARRIER, /* membarrier(), readers without fences */
	SRCU_BARRIER_FENCES,     /* fenced readers */
	SRCU_BARRIER_WALK,       /* membarrier() was refused: a visit to every CPU */
};

/** enum srcu_counter_kind - how a domain's readers count */
enum srcu_counter_kind {
	SRCU_COUNT_RSEQ,   /* restartable sequences on per-CPU words */
	SRCU_COUNT_ATOMIC, /* atomic instructions on per-CPU words */
	SRCU_COUNT_TWIN,   /* atomic instructions on one word: no per-CPU memory */
};

/** struct srcu_stats - what srcu_get_stats() tells of a domain since its initialisation */
struct srcu_stats {
	uint64_t grace_periods; /* grace periods run */
	uint64_t shared;        /* calls that returned on another caller's grace period */
	uint64_t membarriers;   /* full barriers on all threads that grace periods asked for */
	uint64_t longest_ns;    /* the longest wait for readers, in nanoseconds */
	uint64_t readers;       /* sections under way; approximate while they come and go */
	uint64_t queued;        /* callbacks that call_srcu() took */
	uint64_t invoked;       /* callbacks that have returned; the backlog is the difference */
	uint64_t root;          /* requests that reached the root of the combining tree */
	uint64_t wakeups;       /* how often a thread of the library's woke, for whatever domain */
	unsigned int levels;    /* of the combining tree; 0 while there is none */
	unsigned int cpus;      /* CPUs that a scan covers */
	enum srcu_barrier_kind barrier;
	enum srcu_counter_kind counters;
	uintptr_t reserved[8];
};

/**
 * srcu_get_stats - statistics of a domain
 * @ssp: the domain
 * @stats: filled in
 *
 * Times are nanoseconds of CLOCK_MONOTONIC.
 *
 * Context: any, signal handlers and readers included; keeps errno; never blocks.
 * Ordering: none; members need not be of one moment.
 * Return: 0, or -EINVAL for NULL or a domain that is not initialised or was cleaned
 * up, without a report; a static domain before its first use has statistics.
 * Origin: ours.
 */
SRCU_API int srcu_get_stats(const struct srcu_struct *ssp, struct srcu_stats *stats);

/**
 * srcu_debug - switch a domain to debug mode
 * @ssp: the domain
 * @limit_ms: the wait, in milliseconds, after which a grace period that is held
 * up is reported; 0: the usual 10 s
 *
 * Its readers are slower from then on, and each section is on record with its
 * thread, its time and its call site.  Reported are, with thread and call site:
 * sections ended more often than begun, and ended by the other family than they
 * were begun by; waiting inside a section of one's own; and, when a grace period
 * is held up or a clean-up fails, the sections that are in the way, also of
 * threads that have exited.  An unlock without a lock is not counted.
 *
 * Sections that are under way at the switch stay legal, and go without a record;
 * so do those that find all SRCU_DEBUG_SECTIONS records taken.  There is no way
 * back.  Once more it sets the limit only, also for the grace period that waits
 * already.  SRCU_DEBUG=1 in the environment has the same effect on all domains
 * from their start, and SRCU_DEBUG=limit=<ms> sets the limit as well; a limit that
 * is no number is reported, and the usual one taken.
 *
 * Context: any thread, also inside a reader or a callback; not a signal handler.
 * May run a full barrier on every CPU; does not block.
 * Return: 0, or -EINVAL for a domain that cannot be used, which is reported.
 * Origin: ours.
 */
SRCU_API int srcu_debug(struct srcu_struct *ssp, unsigned int limit_ms);

/**
 * srcu_read_lock_held - is the caller inside a section of the domain?
 * @ssp: the domain
 *
 * For assertions: what is not known counts as yes, so that all domains that are not
 * in debug mode say so.  Sections that go without a record, see srcu_debug(), count as
 * none, and so do those of srcu_down_read(), which are no thread's.
 *
 * Context: any, signal handlers included; keeps errno.  Never blocks.
 * Ordering: none.
 * Return: 0 if the domain is in debug mode, and has no section of this thread on
 * record; 1 otherwise.
 * Origin: Linux, srcu_read_lock_held(), which knows it with PROVE_RCU.
 */
SRCU_API int srcu_read_lock_held(const struct srcu_struct *ssp);

/* How many sections, of all domains, are on record at a time. */
#define SRCU_DEBUG_SECTIONS 4096

/* How many domains srcu_dump() knows of at a time. */
#define SRCU_DEBUG_DOMAINS 1024

/**
 * srcu_dump - write what is known of the domains in debug mode
 * @to: the stream
 *
 * Statistics, and the sections on record with thread, age and call site.  Domains
 * that were switched to debug mode while SRCU_DEBUG_DOMAINS were in it are left out.
 *
 * Context: any thread, also inside a reader or a callback; not a signal handler.
 * Blocks as @to does, and cleanup_srcu_struct() of a domain in debug mode waits for it.
 * Origin: ours.
 */
SRCU_API void srcu_dump(FILE *to);

/**
 * srcu_warn_fn - a handler for the library's reports
 * @ssp: the domain concerned, or NULL
 * @message: one line without a newline, valid during the call
 *
 * Called in any context in which the library may be, signal handlers and the
 * library's threads included, and from several threads at once; on the thread that
 * is reported, or that leads the grace period which is held up.  That one goes on
 * when the handler has returned, and not before: the handler must not wait for a
 * grace period or for callbacks of @ssp, nor for anything that may wait for them.
 * It would wait for itself, which is reported.  Cancellation is disabled.
 * The reports of a handler that is called by its own reports go to stderr from the
 * fourth on.
 *
 * Context: see above; errno may be changed.
 * Origin: ours.
 */
typedef void srcu_warn_fn(const struct srcu_struct *ssp, const char *message);

/**
 * srcu_set_warn_handler - choose where reports of misuse and stalls go
 * @handler: the handler, or NULL for the default, which writes to stderr
 *
 * Context: any, signal handlers and readers included; keeps errno; never blocks.
 * Ordering: what the caller did before is seen by the handler.
 * Return: the previous handler, NULL for the default; it may be running still.
 * Origin: ours.
 */
SRCU_API srcu_warn_fn *srcu_set_warn_handler(srcu_warn_fn *handler);

#ifdef __cplusplus
}
#endif

#include <srcu/reader.h>
#include <srcu/update.h>

#endif /* SRCU_SRCU_H */
