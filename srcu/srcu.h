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

#define SRCU_VERSION_MAJOR 0
#define SRCU_VERSION_MINOR 1

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One rank's counts on one CPU, or on the twin.  A read-side critical section
 * adds one to the locks of the CPU it begins on and one to the unlocks of the
 * CPU it ends on; only sums over all CPUs mean anything.
 */
struct srcu_ctr {
	uint64_t srcu_locks;
	uint64_t srcu_unlocks;
};

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
	uint64_t pad0_[4];

	/* Counts of readers that could not run a restartable sequence, by rank. */
	struct srcu_ctr twin_[2];
	uint64_t pad1_[4];

	/* Written by updaters; a grace period has a number, one more than the one before. */
	uint64_t started_; /* the latest to have begun */
	uint64_t done_;    /* the latest to have ended */
	uint64_t needed_;  /* the latest that somebody polls for */
	uint64_t hurried_; /* up to this one they are expedited */
	uint32_t gp_lock_;
	uint32_t gp_pending_; /* ranks that the running one waits for, a bit each */
	uint32_t gp_kick_;    /* what its leader sleeps on; changed to wake it */
	uint32_t pad2_;
	uint64_t shared_;
	uint64_t membarriers_;
	uint64_t longest_ns_;

	uint64_t reserved_[7];
};

#define SRCU_WORD_UNINIT_  1u
#define SRCU_MAGIC_        0x73726375u
#define SRCU_WINDOW_SHIFT_ 35

#define SRCU_STRUCT_INIT_(name)                                                                   \
	{                                                                                         \
		SRCU_WORD_UNINIT_, 0, 0, #name, SRCU_MAGIC_, 0, {0}, {{0, 0}, {0, 0}}, {0}, 0, 0, \
			0, 0, 0, 0, 0, 0, 0, 0, 0,                                                \
		{                                                                                 \
			0                                                                         \
		}                                                                                 \
	}

/**
 * DEFINE_SRCU, DEFINE_STATIC_SRCU - define a domain at file scope
 * @name: the variable's name, and the domain's in reports
 *
 * Ready for use without init_srcu_struct(): the first reader or updater, which
 * may be in a signal handler, takes the memory it needs.  When there is none,
 * readers are slower and all else is the same.  cleanup_srcu_struct() may be
 * called on it and ends its use.
 */
#define DEFINE_SRCU(name)        struct srcu_struct name = SRCU_STRUCT_INIT_(name)
#define DEFINE_STATIC_SRCU(name) static struct srcu_struct name = SRCU_STRUCT_INIT_(name)

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
	SRCU_UPDATES_DEFAULT, /* the library's choice */
	SRCU_UPDATES_CLASSIC, /* one lock, one sequence */
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
 */
SRCU_API int init_srcu_struct_with(struct srcu_struct *ssp, const struct srcu_options *options);

/**
 * cleanup_srcu_struct - end the use of a domain and free what it holds
 * @ssp: the domain
 *
 * When a reader is inside or a grace period is under way it says so through
 * the warn handler, frees nothing and leaves the domain usable: free the memory
 * around it only after a return of 0.  On a domain that was cleaned up before,
 * or never initialised, it warns and returns -EINVAL.
 *
 * Context: any thread; not a signal handler, not inside a reader of @ssp.  May
 * run a full barrier on every CPU, does not wait for readers.
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
 * Context: any, signal handlers included.
 * Return: 0, or -EINVAL for NULL or a domain that is not initialised; a static
 * domain before its first use has statistics.
 */
SRCU_API int srcu_get_stats(const struct srcu_struct *ssp, struct srcu_stats *stats);

/**
 * srcu_warn_fn - a handler for the library's reports
 * @ssp: the domain concerned, or NULL
 * @message: one line without a newline, valid during the call
 *
 * May be called in any context in which the library may be, signal handlers
 * included.
 */
typedef void srcu_warn_fn(const struct srcu_struct *ssp, const char *message);

/**
 * srcu_set_warn_handler - choose where reports of misuse and stalls go
 * @handler: the handler, or NULL for the default, which writes to stderr
 *
 * Context: any.
 * Return: the previous handler, NULL for the default.
 */
SRCU_API srcu_warn_fn *srcu_set_warn_handler(srcu_warn_fn *handler);

#ifdef __cplusplus
}
#endif

#include <srcu/reader.h>
#include <srcu/update.h>

#endif /* SRCU_SRCU_H */
