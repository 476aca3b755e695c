/* SPDX-License-Identifier: MIT */
/*
 * What the rooms of the library share: how a domain's word is read, where the
 * counters are, and the few functions that one file offers to the others.
 */
#ifndef SRCU_INTERNAL_H
#define SRCU_INTERNAL_H

#include <signal.h>
#include <srcu/srcu.h>

#include "inject.h"

#define likely(x)   srcu_likely_(x)
#define unlikely(x) srcu_unlikely_(x)

/*
 * The word: the address of CPU 0's struct srcu_ctr of the current rank.  A
 * domain's two ranks are the halves of an aligned 32-byte slot, so bit 4 is the
 * rank, and the four bits below are tags.  An inline lock leaves for the
 * out-of-line one when WORD_SLOW is set; an inline unlock, which knows nothing
 * of the word's tags, when the mark is 0.
 */
#define WORD_SLOW   ((uintptr_t)1)  /* inline readers stay out */
#define WORD_INIT   ((uintptr_t)2)  /* has its slot, but not yet its flags, cpus and mark */
#define WORD_DEAD   ((uintptr_t)4)  /* cleaned up */
#define WORD_TWIN   ((uintptr_t)8)  /* no per-CPU memory: the twin counts everything */
#define WORD_RANK   ((uintptr_t)16) /* the current rank */
#define WORD_TAGS   ((uintptr_t)15)
#define WORD_SLOT   (~(uintptr_t)31)
#define WORD_UNINIT ((uintptr_t)SRCU_WORD_UNINIT_)

_Static_assert(sizeof(struct srcu_ctr) == WORD_RANK, "a rank is half a slot");
_Static_assert(offsetof(struct srcu_ctr, srcu_unlocks) == 8, "the inline unlock adds at 8");
#if UINTPTR_MAX > 0xffffffff
_Static_assert(offsetof(struct srcu_struct, name_) == 16, "inline readers read 16 bytes");
_Static_assert(sizeof(struct srcu_struct) == 512, "the size of a domain is ABI");
#endif

/*
 * srcu_struct.active_.  A domain with callbacks is active: it is in the
 * grace-period thread's hands, in the invokers' queue, or in an invoker's hands,
 * in one of these only.
 */
enum { DOMAIN_INACTIVE, DOMAIN_ACTIVE, DOMAIN_LEAVING };

/* srcu_struct.flags_ */
#define DOMAIN_FENCED    1u     /* readers have a full fence, grace periods no membarrier */
#define DOMAIN_ATOMIC    2u     /* per-CPU words are counted on by atomic instructions */
#define DOMAIN_CALLER    4u     /* callbacks are run by srcu_run_callbacks() only */
#define DOMAIN_CLASSIC   8u     /* no lists of callbacks per CPU, no tree */
#define DOMAIN_TURNED    16u    /* lists_ was turned, and what it was before not yet taken */
#define DOMAIN_DEBUG     0x100u /* sections are on record */
#define DOMAIN_COUNTED   0x200u /* open_ is right: an unlock beyond it has no lock */
#define DOMAIN_UNTRACKED 0x400u /* some sections never got a record */

/* TSan models no fences: its builds order by a read-modify-write of one word. */
extern uint32_t srcu_fence_word;

static inline void full_fence(void)
{
#ifdef SRCU_TSAN
	__atomic_fetch_add(&srcu_fence_word, 1, __ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* A full fence right after an atomic read-modify-write, which on x86 is one. */
static inline void full_fence_after_rmw(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
	full_fence();
#endif
}

/* Make *value at least @least; false when it was.  Full fence if it was not. */
static inline bool raise_u64(uint64_t *value, uint64_t least)
{
	uint64_t old = __atomic_load_n(value, __ATOMIC_RELAXED);

	while (old < least)
		if (__atomic_compare_exchange_n(
			    value, &old, least, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return true;
	return false;
}

/* Make *value at least @least.  Release: who sees a CPU covered may use its memory. */
static inline void raise_u32(uint32_t *value, uint32_t least)
{
	uint32_t old = __atomic_load_n(value, __ATOMIC_RELAXED);

	while (old < least && !__atomic_compare_exchange_n(value, &old, least, false,
				      __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t clamp_u64(uint64_t least, uint64_t value, uint64_t most)
{
	return value < least ? least : min_u64(value, most);
}

static inline uint32_t domain_flags(const struct srcu_struct *ssp)
{
	return __atomic_load_n(&ssp->flags_, __ATOMIC_RELAXED);
}

/* Tell the processor that this is a spinning wait. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
	__asm__ __volatile__("yield" ::: "memory");
#else
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * What tokens are made of, by a word of the domain: one without a slot has a number in
 * the slot's place, another one after a fork.  As int tokens the numbers lie below all
 * per-CPU memory.
 */
#define TWIN_NUMBERS    127
#define LAST_TWIN_TOKEN (2 * TWIN_NUMBERS + 1)
_Static_assert(LAST_TWIN_TOKEN < SRCU_PERCPU_STRIDE / 16, "a chunk is larger than a slice");

static inline uintptr_t token_word(const struct srcu_struct *ssp, uintptr_t word)
{
	uint32_t generation = __atomic_load_n(&ssp->slot_generation_, __ATOMIC_RELAXED);

	return word & WORD_TWIN ? word | (uintptr_t)(generation % TWIN_NUMBERS + 1) << 5 : word;
}

static inline unsigned int word_rank(uintptr_t word)
{
	return (word & WORD_RANK) != 0;
}

/* @ctr, an address in CPU 0's slice, on @cpu. */
static inline struct srcu_ctr *ctr_on(uintptr_t ctr, unsigned int cpu)
{
	return (struct srcu_ctr *)(ctr + (uintptr_t)cpu * SRCU_PERCPU_STRIDE);
}

/* setup.c: what this process and kernel offer; all async-signal-safe */
void srcu_setup(void);
enum forced {
	FORCE_NORSEQ = 1,
	FORCE_NOMEMBARRIER = 2,
	FORCE_NOMEMORY = 4,
	FORCE_CLASSIC = 8,
	FORCE_TREE = 16, /* domains have their tree from the start */
};
bool srcu_forced(unsigned int what);
bool srcu_have_rseq(void);
SRCU_API void srcu_stand_for_cpu_(struct srcu_struct *ssp, unsigned int cpu);
int srcu_this_cpu(void);
uint64_t srcu_now_ns(void);
void srcu_watch_exit(void);
bool srcu_exiting(void);

/* barrier.c: M */
bool srcu_have_membarrier(void);
bool srcu_barriers_stuck(void);
enum srcu_barrier_kind srcu_barrier_kind(const struct srcu_struct *ssp);
bool srcu_barrier_all_readers(struct srcu_struct *ssp);
bool srcu_have_rseq_barrier(void);
bool srcu_barrier_all_pushes(struct srcu_struct *ssp);
bool srcu_barrier_all_threads(struct srcu_struct *ssp);

/* domain.c */
void srcu_domain_after_fork(struct srcu_struct *ssp, uintptr_t slot);
void srcu_slotless_after_fork(struct srcu_struct *ssp);
bool srcu_domain_cover_cpu(struct srcu_struct *ssp, uintptr_t word, unsigned int cpu);
uintptr_t srcu_domain_word(struct srcu_struct *ssp);
bool srcu_domain_usable_at(
	struct srcu_struct *ssp, const char *function, const void *site, uintptr_t *word);

/* The caller of a function of the public interface, in that function. */
#define CALL_SITE __builtin_return_address(0)
#define srcu_domain_usable(ssp, function, word) \
	srcu_domain_usable_at(ssp, function, CALL_SITE, word)

/*
 * What the owner of a slot becomes when the domain has left it: one that may be
 * freed by now.  Tokens are known by it all the same.
 */
#define OWNER_GONE ((uintptr_t)1)

static inline void *srcu_owner_gone(const struct srcu_struct *ssp)
{
	return (void *)((uintptr_t)ssp | OWNER_GONE);
}

/* slotless.c */
void srcu_slotless_add(struct srcu_struct *ssp);
void srcu_slotless_remove(const struct srcu_struct *ssp);
void srcu_slotless_for_each(void (*visit)(struct srcu_struct *ssp));

/* gp.c: grace periods by their numbers */
bool srcu_gp_quiescent(const struct srcu_struct *ssp, unsigned int rank);
uintptr_t srcu_gp_rank_ctr(const struct srcu_struct *ssp, unsigned int rank);
uint64_t srcu_gp_readers_of(const struct srcu_struct *ssp, unsigned int rank);
uint64_t srcu_gp_readers(const struct srcu_struct *ssp);
uint64_t srcu_gp_next(const struct srcu_struct *ssp);
bool srcu_gp_done(const struct srcu_struct *ssp, uint64_t number);
bool srcu_gp_wait(struct srcu_struct *ssp, uint64_t number, uint64_t deadline_ns);
void srcu_gp_try(struct srcu_struct *ssp);
void srcu_gp_hurry(struct srcu_struct *ssp, uint64_t number);
bool srcu_gp_hurried(const struct srcu_struct *ssp);
uint64_t srcu_gp_waited(const struct srcu_struct *ssp, uint64_t now);

/* lock.c */
bool srcu_lock_is_mine(const uint32_t *lock);
bool srcu_is_unlocked(const uint32_t *lock);
bool srcu_trylock(uint32_t *lock);
void srcu_lock(uint32_t *lock);
void srcu_unlock(uint32_t *lock);
bool srcu_wait_unlock(uint32_t *lock, uint64_t deadline_ns);
uint32_t srcu_thread_number(void);
bool srcu_thread_left_behind(uint32_t number);
void srcu_leave_threads_behind(void);

/* Is this thread in a callback of the domain? */
static inline bool srcu_in_callback(const struct srcu_struct *ssp)
{
	return __atomic_load_n(&ssp->invoker_, __ATOMIC_RELAXED) == srcu_thread_number();
}

/* fork.c */
enum { PROCESS_NEW, PROCESS_KNOWN, PROCESS_AT_IT };
extern const uint32_t *srcu_same_process;
uint32_t srcu_generation(void);
void srcu_after_fork(void);
void srcu_block_signals(sigset_t *before);
void srcu_restore_signals(const sigset_t *before);

/* For functions that may be the first to be called in a new process. */
static inline void srcu_notice_fork(void)
{
	const uint32_t *word = __atomic_load_n(&srcu_same_process, __ATOMIC_ACQUIRE);

	if (unlikely(__atomic_load_n(word, __ATOMIC_ACQUIRE) != PROCESS_KNOWN))
		srcu_after_fork();
}

/* tree.c: the way of those who need a grace period to the lock */
struct srcu_climb {
	uint64_t number;
	unsigned int height;         /* of the nodes that were passed */
	struct srcu_node_ *path[16]; /* enough for 2^16 CPUs */
};
bool srcu_tree_climb(struct srcu_struct *ssp, struct srcu_climb *climb, uint64_t deadline_ns);
void srcu_tree_descend(const struct srcu_struct *ssp, struct srcu_climb *climb);
bool srcu_tree_request(struct srcu_struct *ssp, uint64_t number);
void srcu_tree_insist(struct srcu_struct *ssp, uint64_t number);
void srcu_tree_grow(struct srcu_struct *ssp);
void srcu_tree_forget(struct srcu_struct *ssp);
void srcu_tree_release(struct srcu_struct *ssp);
void srcu_tree_stats(const struct srcu_struct *ssp, struct srcu_stats *stats);

/* callback-list.c */
enum srcu_batch_nr {
	BATCH_COLLECTED,
	BATCH_NEXT,
	BATCH_CURRENT,
	BATCH_READY,
	BATCH_INVOKING,
};
uint64_t srcu_callbacks_count(const struct srcu_struct *ssp);
uint64_t srcu_callbacks_left(const struct srcu_struct *ssp);
bool srcu_callbacks_queued(const struct srcu_struct *ssp);
bool srcu_callbacks_collect(struct srcu_struct *ssp);
void srcu_batch_move(struct srcu_batch_ *to, struct srcu_batch_ *from);
void srcu_lists_recover(struct srcu_struct *ssp);
void srcu_forget_marks(void);
void srcu_mark_queued(struct srcu_head *head);
void srcu_callbacks_release(struct srcu_struct *ssp);

/* callback.c: under no lock of the caller's */
enum srcu_step {
	STEP_IDLE,     /* there are none */
	STEP_LOCKED,   /* somebody is at them */
	STEP_WAITING,  /* for a grace period */
	STEP_INVOKING, /* another thread is */
	STEP_READY,    /* to be invoked */
};
enum srcu_step srcu_callbacks_step(struct srcu_struct *ssp);
void srcu_callbacks_stage(struct srcu_struct *ssp);
int srcu_barrier_at(struct srcu_struct *ssp, const char *function, const void *site);
uint64_t srcu_invoke(struct srcu_struct *ssp, uint64_t most);
void srcu_callbacks_recover(struct srcu_struct *ssp);

/* thread.c: the grace-period thread */
void srcu_arrive(struct srcu_struct *ssp);
void srcu_activate(struct srcu_struct *ssp);
void srcu_look_again(struct srcu_struct *ssp);
bool srcu_await_inactive(struct srcu_struct *ssp);
bool srcu_updaters_invoke(const struct srcu_struct *ssp);
int srcu_start_thread(void *(*function)(void *), const char *name);
void srcu_rejoin(struct srcu_struct *ssp);
void srcu_forget_threads(void);
uint64_t srcu_wakeups(void);
void srcu_count_wakeup(void);

/* invoker.c: the threads that run callbacks */
void srcu_dispatch(struct srcu_struct *ssp);
bool srcu_undispatch(struct srcu_struct *ssp);
uint64_t srcu_tend_invokers(uint64_t now);
bool srcu_invokers_refused(void);
bool srcu_serves(const struct srcu_struct *ssp);
void srcu_forget_invokers(void);

/* futex.c */
void srcu_futex_wait(const uint32_t *word, uint32_t expected, uint64_t ns);
void srcu_futex_wake(const uint32_t *word);
void srcu_futex_wake_one(const uint32_t *word);

/* warn.c */
/* What the counts say of a domain that is not quiescent, for a report. */
#define READERS_TEXT 480
const char *srcu_describe_readers(const struct srcu_struct *ssp, char text[READERS_TEXT]);

void srcu_warn(const struct srcu_struct *ssp, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, followed by the calling thread and the call site. */
void srcu_warn_at(const struct srcu_struct *ssp, const void *site, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define SITE_TEXT 64
const char *srcu_describe_site(const void *site, char text[SITE_TEXT]);
int srcu_this_thread(void);

#endif /* SRCU_INTERNAL_H */
