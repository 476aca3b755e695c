/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU increments on x86-64 as rseq critical sections.  Included by
 * <srcu/percpu.h> only.
 *
 * A section begins by pointing the thread's rseq_cs at its descriptor, reads
 * the CPU it runs on, and ends in one read-modify-write instruction.  If the
 * thread is preempted, migrated or interrupted by a signal before that
 * instruction has retired, the kernel moves it to the abort label, so the
 * increment happens wholly on the CPU that was read or not at all.
 *
 * The address is computed before the increment: with an indexed operand the
 * processor does not forward the previous store to the load, and a pair costs
 * twice as much.
 *
 * The '?' flag puts the descriptor and the abort handler in the group of the
 * function they belong to; without it an inline function that is emitted by
 * two C++ units does not link.
 */
#ifndef SRCU_RSEQ_X86_64_H
#define SRCU_RSEQ_X86_64_H

#ifndef SRCU_PERCPU_H
#error "include <srcu/percpu.h> instead"
#endif

/*
 * Generate bool name(base, mark, n): run @insn with %rax holding the address
 * of @base in the slice of this CPU; false, with nothing done, when this CPU's
 * id is not below *mark or when the section was aborted.
 *
 * On x86 every store is a store-release, so one form serves lock and unlock.
 */
#define SRCU_RSEQ_OP(name, insn)                                                             \
	static inline bool name(uintptr_t base, const uint32_t *mark, uint64_t n)            \
	{                                                                                    \
		__asm__ __volatile__ goto(                                                   \
			".pushsection __rseq_cs, \"aw?\", @progbits\n\t"                     \
			".balign 32\n"                                                       \
			"3:\n\t"                                                             \
			".long 0, 0\n\t"                                                     \
			".quad 1f, 2f - 1f, 4f\n\t"                                          \
			".popsection\n\t"                                                    \
			"leaq 3b(%%rip), %%rax\n\t"                                          \
			"movq %%rax, %%fs:8(%[rseq])\n"                                      \
			"1:\n\t"                                                             \
			"movl %%fs:4(%[rseq]), %%eax\n\t"                                    \
			"cmpl %[mark], %%eax\n\t"                                            \
			"jae %l[fail]\n\t"                                                   \
			"imulq %[stride], %%rax, %%rax\n\t"                                  \
			"addq %[base], %%rax\n\t" insn "\n"                                  \
			"2:\n\t"                                                             \
			".pushsection __rseq_failure, \"ax?\", @progbits\n\t"                \
			".byte 0x0f, 0xb9, 0x3d\n\t" /* ud1: the signature is its operand */ \
			".long %c[sig]\n"                                                    \
			"4:\n\t"                                                             \
			"jmp %l[fail]\n\t"                                                   \
			".popsection"                                                        \
			:                                                                    \
			: [rseq] "r"(__rseq_offset), [mark] "m"(*mark), [base] "r"(base),    \
			[n] "er"(n), [stride] "i"(SRCU_PERCPU_STRIDE), [sig] "i"(RSEQ_SIG)   \
			: "rax", "memory", "cc"                                              \
			: fail);                                                             \
		return true;                                                                 \
	fail:                                                                                \
		SRCU_COLD_LABEL_;                                                            \
		return false;                                                                \
	}

SRCU_RSEQ_OP(srcu_rseq_inc_lock_, "incq (%%rax)")
SRCU_RSEQ_OP(srcu_rseq_inc_unlock_, "incq 8(%%rax)")
SRCU_RSEQ_OP(srcu_rseq_add_, "addq %[n], (%%rax)")

#undef SRCU_RSEQ_OP

/* Id of the CPU this thread runs on, or a negative number without rseq. */
static inline int srcu_rseq_cpu_(void)
{
	uint32_t cpu;

	__asm__ __volatile__("movl %%fs:4(%[rseq]), %[cpu]"
			     : [cpu] "=r"(cpu)
			     : [rseq] "r"(__rseq_offset));
	return (int)cpu;
}

#endif /* SRCU_RSEQ_X86_64_H */
