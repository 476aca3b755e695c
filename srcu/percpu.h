/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU memory and counters: the kernel's alloc_percpu() and this_cpu_inc()
 * for user space.
 *
 * An object allocated here exists once per possible CPU, at the same offset in
 * each CPU's slice.  this_cpu_inc() adds to the copy of the CPU it runs on
 * without an atomic instruction: on Linux with rseq the increment is a
 * restartable sequence, which is safe against signal handlers, preemption and
 * migration.  Without rseq the same calls use atomic instructions.
 *
 * A counter's value is percpu_sum(): besides the CPUs' copies there is a twin,
 * on which an increment lands that could not run as a restartable sequence.
 */
#ifndef SRCU_PERCPU_H
#define SRCU_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__)) && defined(__has_include)
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(SRCU_BUILD)
#define SRCU_API __attribute__((visibility("default")))
#else
#define SRCU_API
#endif

/*
 * For the calls that are short: two jumps less in a pair of them from an object that
 * would call by stubs, at the price of binding them when the object is loaded.
 */
#if !defined(SRCU_BUILD) && defined(__has_attribute)
#if __has_attribute(noplt)
#define SRCU_SHORT_API_ SRCU_API __attribute__((noplt))
#endif
#endif
#ifndef SRCU_SHORT_API_
#define SRCU_SHORT_API_ SRCU_API
#endif

#if defined(__SANITIZE_THREAD__)
#define SRCU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SRCU_TSAN 1
#endif
#endif

/*
 * Can the object that this unit becomes part of be unloaded?  Position-independent
 * code that is not an executable is taken for such an object; one that is never
 * unloaded may define SRCU_INLINE_READERS.
 */
#if defined(__PIC__) && !defined(__PIE__) && !defined(SRCU_INLINE_READERS)
#define SRCU_UNLOADABLE_ 1
#endif

/*
 * May this unit inline restartable sequences?  Not under TSan, which cannot
 * see into them.  Not in an object that can be unloaded: a thread's rseq_cs may
 * still point into it when it goes, and the kernel kills the thread for that at
 * its next preemption.
 */
#if defined(RSEQ_SIG) && !defined(SRCU_TSAN) && !defined(SRCU_UNLOADABLE_) && \
	(defined(__GNUC__) || defined(__clang__))
#define SRCU_RSEQ_INLINE 1
#endif

#if defined(__GNUC__) && !defined(__clang__)
#define SRCU_COLD_LABEL_ __attribute__((cold))
#else
#define SRCU_COLD_LABEL_
#endif

#define srcu_likely_(x)   __builtin_expect(!!(x), 1)
#define srcu_unlikely_(x) __builtin_expect(!!(x), 0)

/*
 * Bytes from one CPU's copy to the next CPU's.  A line of 64 bytes above 4 KiB:
 * a power of two would put every CPU's copy into the same cache set, and CPUs
 * must not share a line.
 */
#define SRCU_PERCPU_STRIDE 4160

/* The largest object that alloc_percpu() gives, in bytes. */
#define SRCU_PERCPU_MAX 2048

/*
 * CPU ids below this one may be counted on by restartable sequences; 0 until
 * the first allocation and in a process without rseq.  For the inline
 * functions of this header only.
 */
SRCU_API extern uint32_t srcu_percpu_mark_;

#ifdef SRCU_RSEQ_INLINE
#if defined(__x86_64__)
#include <srcu/rseq-x86_64.h>
#else
#include <srcu/rseq-aarch64.h>
#endif
#endif

/**
 * alloc_percpu_size - allocate an object on every possible CPU
 * @size: bytes, 1 to SRCU_PERCPU_MAX
 * @align: alignment in bytes, a power of two up to 64
 *
 * The copies are zeroed.  Nothing is ever unmapped: freed memory is used again
 * by later allocations.
 *
 * Context: any thread; not a signal handler.  Does not block.
 * Return: what per_cpu_ptr() and the this_cpu operations take, or NULL with
 * errno EINVAL (size or alignment) or ENOMEM.
 * Origin: Linux, __alloc_percpu().
 */
SRCU_API void *alloc_percpu_size(size_t size, size_t align);

/**
 * alloc_percpu - allocate one @type on every possible CPU
 * @type: of at most SRCU_PERCPU_MAX bytes
 *
 * Context and return: as alloc_percpu_size().
 * Origin: Linux, alloc_percpu().
 */
#define alloc_percpu(type) ((type *)alloc_percpu_size(sizeof(type), __alignof__(type)))

/**
 * free_percpu - give back what alloc_percpu() returned
 * @p: the object, or NULL
 *
 * The caller makes sure that no this_cpu operation on it is running or to come.
 * A pointer that alloc_percpu() did not return is reported to the warn handler
 * and left alone.
 *
 * Context: any thread; not a signal handler.  Does not block.
 * Origin: Linux, free_percpu().
 */
SRCU_API void free_percpu(void *p);

/**
 * nr_possible_cpus - a number above every CPU id that this machine can have
 *
 * The width of the kernel's CPU masks: at least one more than the highest
 * possible id, and often a good deal more.
 *
 * Context: any, signal handlers included; keeps errno.
 * Return: the number, the same each time.
 * Origin: Linux, num_possible_cpus() and nr_cpu_ids.
 */
SRCU_API unsigned int nr_possible_cpus(void);

/**
 * for_each_possible_cpu - loop over the ids of all CPUs that could ever run a thread
 * @cpu: the loop's variable, an integer
 *
 * The head of a for statement.
 *
 * Context: as nr_possible_cpus().
 * Origin: Linux, for_each_possible_cpu(), which leaves out ids that no CPU has.
 */
#define for_each_possible_cpu(cpu) \
	for ((cpu) = 0; (unsigned int)(cpu) < nr_possible_cpus(); (cpu)++)

static inline void *srcu_per_cpu_ptr_(void *p, unsigned int cpu)
{
	return (char *)p + (size_t)cpu * SRCU_PERCPU_STRIDE;
}

/**
 * per_cpu_ptr - address of one CPU's copy
 * @p: what alloc_percpu() returned
 * @cpu: a CPU id below nr_possible_cpus()
 *
 * Context: any, signal handlers included.
 * Return: the address, valid until free_percpu().
 * Origin: Linux, per_cpu_ptr().
 */
#define per_cpu_ptr(p, cpu) ((__typeof__(p))srcu_per_cpu_ptr_((void *)(p), (unsigned int)(cpu)))

/**
 * percpu_sum - value of a per-CPU counter
 * @p: counter from alloc_percpu(uint64_t), or a 64-bit member of such an object
 *
 * Adds the copies of all possible CPUs and the twin.  Increments made by other
 * threads meanwhile may or may not be counted; those that happen before the
 * call are.
 *
 * Context: any, signal handlers included; keeps errno; never blocks.
 * Return: the value, modulo 2^64.
 * Origin: ours.
 */
SRCU_API uint64_t percpu_sum(const uint64_t *p);

/* The out-of-line halves of the operations below. */
SRCU_SHORT_API_ void srcu_this_cpu_add_(uint64_t *p, uint64_t n);
SRCU_API uint64_t *srcu_this_cpu_ptr_(uint64_t *p);

static inline void srcu_this_cpu_add_inline_(uint64_t *p, uint64_t n)
{
#ifdef SRCU_RSEQ_INLINE
	if (srcu_likely_(srcu_rseq_add_((uintptr_t)p, &srcu_percpu_mark_, n)))
		return;
#endif
	srcu_this_cpu_add_(p, n);
}

/**
 * this_cpu_add - add to this CPU's copy of a counter
 * @pcp: the counter, as an lvalue: *p for a p from alloc_percpu(uint64_t)
 * @n: what to add, 64 bits, wrapping
 *
 * One step for every other thread and for every signal handler on this thread.
 * Orders nothing else.
 *
 * Context: any, signal handlers included; not a vfork() child.  Keeps errno; never
 * blocks.
 * Origin: Linux, this_cpu_add().
 */
#define this_cpu_add(pcp, n) srcu_this_cpu_add_inline_(&(pcp), (uint64_t)(n))

/**
 * this_cpu_inc - add one to this CPU's copy of a counter
 * @pcp: the counter, as an lvalue
 *
 * Context and ordering: as this_cpu_add().
 * Origin: Linux, this_cpu_inc().
 */
#define this_cpu_inc(pcp) this_cpu_add(pcp, 1)

/**
 * this_cpu_read - value of this CPU's copy
 * @pcp: the counter, as an lvalue
 *
 * A hint unless the thread is pinned: it may run elsewhere by the time it looks
 * at the value, and the twin is not in it.  For the value of a counter take
 * percpu_sum().
 *
 * Context: any, signal handlers included.
 * Ordering: none.
 * Return: the value.
 * Origin: Linux, this_cpu_read().
 */
#define this_cpu_read(pcp) __this_cpu_read(pcp)

/**
 * __this_cpu_read, __this_cpu_write - plain access to this CPU's copy
 * @pcp: the counter, as an lvalue
 * @v: its new value there
 *
 * For a thread that is pinned, the only one on its CPU that touches the object, and
 * whose signal handlers leave it alone.
 *
 * Context: any, under that condition.
 * Ordering: none.
 * Return: __this_cpu_read(): the value.
 * Origin: Linux, __this_cpu_read() and __this_cpu_write().
 */
#define __this_cpu_read(pcp)     __atomic_load_n(srcu_this_cpu_ptr_(&(pcp)), __ATOMIC_RELAXED)
#define __this_cpu_write(pcp, v) __atomic_store_n(srcu_this_cpu_ptr_(&(pcp)), (v), __ATOMIC_RELAXED)

static inline void srcu_plain_this_cpu_add_(uint64_t *p, uint64_t n)
{
	uint64_t *here = srcu_this_cpu_ptr_(p);
	uint64_t sum = __atomic_load_n(here, __ATOMIC_RELAXED) + n;

	/* Else a compiler may make one instruction of it, which a handler cannot split. */
	__asm__ __volatile__("" : "+r"(sum));
	__atomic_store_n(here, sum, __ATOMIC_RELAXED);
}

/**
 * __this_cpu_add, __this_cpu_inc - add by load, add, store: not irq-safe
 *
 * A signal handler between the load and the store, a migration, or another thread
 * that has the CPU meanwhile loses increments.  They are for code that has excluded
 * all three, and to show what this_cpu_inc() is for.
 *
 * Context: any, under that condition.
 * Ordering: none.
 * Origin: Linux, __this_cpu_add() and __this_cpu_inc().
 */
#define __this_cpu_add(pcp, n) srcu_plain_this_cpu_add_(&(pcp), (uint64_t)(n))
#define __this_cpu_inc(pcp)    __this_cpu_add(pcp, 1)

#ifdef __cplusplus
}
#endif

#endif /* SRCU_PERCPU_H */
