/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU increments on aarch64 as rseq critical sections.  Included by
 * <srcu/percpu.h> only; see rseq-x86_64.h for what a section is.
 *
 * The last instruction of each section is its only store.  The unlock count is
 * stored with stlr: everything the section read or wrote comes before it
 * (barrier R of srcu(7)).
 */
#ifndef SRCU_RSEQ_AARCH64_H
#define SRCU_RSEQ_AARCH64_H

#ifndef SRCU_PERCPU_H
#error "include <srcu/percpu.h> instead"
#endif

#define SRCU_RSEQ_OP(name, offset, store)                                                      \
	static inline bool name(uintptr_t base, const uint32_t *mark, uint64_t n)              \
	{                                                                                      \
		__asm__ __volatile__ goto(                                                     \
			".pushsection __rseq_cs, \"aw?\", @progbits\n\t"                       \
			".balign 32\n"                                                         \
			"3:\n\t"                                                               \
			".long 0, 0\n\t"                                                       \
			".quad 1f, 2f - 1f, 4f\n\t"                                            \
			".popsection\n\t"                                                      \
			"adrp x9, 3b\n\t"                                                      \
			"add x9, x9, :lo12:3b\n\t"                                             \
			"str x9, [%[rseq], #8]\n"                                              \
			"1:\n\t"                                                               \
			"ldr w9, [%[rseq], #4]\n\t"                                            \
			"cmp w9, %w[mark]\n\t"                                                 \
			"b.hs %l[fail]\n\t"                                                    \
			"madd x9, x9, %[stride], %[base]\n\t"                                  \
			"add x9, x9, #" offset "\n\t"                                          \
			"ldr x10, [x9]\n\t"                                                    \
			"add x10, x10, %[n]\n\t" store " x10, [x9]\n"                          \
			"2:\n\t"                                                               \
			".pushsection __rseq_failure, \"ax?\", @progbits\n\t"                  \
			".long %c[sig]\n"                                                      \
			"4:\n\t"                                                               \
			"b %l[fail]\n\t"                                                       \
			".popsection"                                                          \
			:                                                                      \
			: [rseq] "r"((char *)__builtin_thread_pointer() + __rseq_offset),      \
			[mark] "r"(__atomic_load_n(mark, __ATOMIC_RELAXED)), [base] "r"(base), \
			[n] "r"(n), [stride] "r"((uint64_t)SRCU_PERCPU_STRIDE),                \
			[sig] "i"(RSEQ_SIG)                                                    \
			: "x9", "x10", "memory", "cc"                                          \
			: fail);                                                               \
		return true;                                                                   \
	fail:                                                                                  \
		SRCU_COLD_LABEL_;                                                              \
		return false;                                                                  \
	}

SRCU_RSEQ_OP(srcu_rseq_add_, "0", "str")
SRCU_RSEQ_OP(srcu_rseq_add_release_8_, "8", "stlr")

#undef SRCU_RSEQ_OP

static inline bool srcu_rseq_inc_lock_(uintptr_t base, const uint32_t *mark, uint64_t n)
{
	(void)n;
	return srcu_rseq_add_(base, mark, 1);
}

static inline bool srcu_rseq_inc_unlock_(uintptr_t base, const uint32_t *mark, uint64_t n)
{
	(void)n;
	return srcu_rseq_add_release_8_(base, mark, 1);
}

/* Id of the CPU this thread runs on, or a negative number without rseq. */
static inline int srcu_rseq_cpu_(void)
{
	const char *rseq = (const char *)__builtin_thread_pointer() + __rseq_offset;

	return (int)__atomic_load_n((const uint32_t *)(const void *)(rseq + 4), __ATOMIC_RELAXED);
}

#endif /* SRCU_RSEQ_AARCH64_H */
