/* SPDX-License-Identifier: MIT */
/*
 * The push of a callback on the list of the CPU that the thread runs on: a
 * restartable sequence.  See rseq-x86_64.h for what that is.
 */
#ifndef SRCU_PUSH_H
#define SRCU_PUSH_H

#include <srcu/percpu.h>

enum srcu_push_ {
	SRCU_PUSHED_,
	SRCU_NOT_PUSHED_,
	SRCU_COUNTED_, /* not pushed, but counted */
};

/* Where a list has its tail and its count of pushes. */
#define SRCU_LIST_TAIL   8
#define SRCU_LIST_PUSHED 16

#ifdef SRCU_RSEQ_INLINE
#ifdef __x86_64__
/*
 * Append @node, whose first word is its link, to the list of this CPU that has
 * the address *lists on CPU 0: a link to the first one, the tail, which commits
 * it, and a count of pushes.  Nothing is appended when the CPU's id is not below
 * *mark or when the section was aborted.
 *
 * Registers and flags survive an abort and tell whether it came after the count:
 * then the carry, set just before, is clear, and edx is 1.
 */
static inline enum srcu_push_ srcu_rseq_push_(
	const uintptr_t *lists, const uint32_t *mark, void *node)
{
	__asm__ __volatile__ goto(
		".pushsection __rseq_cs, \"aw?\", @progbits\n\t"
		".balign 32\n"
		"3:\n\t"
		".long 0, 0\n\t"
		".quad 1f, 2f - 1f, 4f\n\t"
		".popsection\n\t"
		"xorl %%edx, %%edx\n\t"
		"leaq 3b(%%rip), %%rax\n\t"
		"movq %%rax, %%fs:8(%[rseq])\n"
		"1:\n\t"
		"movl %%fs:4(%[rseq]), %%eax\n\t"
		"cmpl %[mark], %%eax\n\t"
		"jae %l[fail]\n\t"
		"imulq %[stride], %%rax, %%rax\n\t"
		"addq %[lists], %%rax\n\t"
		"stc\n\t"
		"movl $1, %%edx\n\t"
		"addq $1, %c[pushed](%%rax)\n\t"
		"movq %c[tail](%%rax), %%rcx\n\t"
		"testq %%rcx, %%rcx\n\t"
		"cmovzq %%rax, %%rcx\n\t"
		"movq %[node], (%%rcx)\n\t"
		"movq %[node], %c[tail](%%rax)\n"
		"2:\n\t"
		".pushsection __rseq_failure, \"ax?\", @progbits\n\t"
		".byte 0x0f, 0xb9, 0x3d\n\t"
		".long %c[sig]\n"
		"4:\n\t"
		"jc %l[fail]\n\t"
		"testl %%edx, %%edx\n\t"
		"jz %l[fail]\n\t"
		"jmp %l[fail_counted]\n\t"
		".popsection"
		:
		: [rseq] "r"(__rseq_offset), [mark] "m"(*mark), [lists] "m"(*lists),
		[node] "r"(node), [stride] "i"(SRCU_PERCPU_STRIDE), [tail] "i"(SRCU_LIST_TAIL),
		[pushed] "i"(SRCU_LIST_PUSHED), [sig] "i"(RSEQ_SIG)
		: "rax", "rcx", "rdx", "memory", "cc"
		: fail, fail_counted);
	return SRCU_PUSHED_;
fail_counted:
	SRCU_COLD_LABEL_;
	return SRCU_COUNTED_;
fail:
	SRCU_COLD_LABEL_;
	return SRCU_NOT_PUSHED_;
}
#else
/* The append alone.  The mark is loaded with acquire, before what it stands for. */
static inline bool srcu_rseq_append_(const uintptr_t *lists, const uint32_t *mark, void *node)
{
	__asm__ __volatile__ goto(
		".pushsection __rseq_cs, \"aw?\", @progbits\n\t"
		".balign 32\n"
		"3:\n\t"
		".long 0, 0\n\t"
		".quad 1f, 2f - 1f, 4f\n\t"
		".popsection\n\t"
		"adrp x9, 3b\n\t"
		"add x9, x9, :lo12:3b\n\t"
		"str x9, [%[rseq], #8]\n"
		"1:\n\t"
		"ldr w9, [%[rseq], #4]\n\t"
		"ldar w10, [%[mark]]\n\t"
		"cmp w9, w10\n\t"
		"b.hs %l[fail]\n\t"
		"ldr x10, [%[lists]]\n\t"
		"madd x9, x9, %[stride], x10\n\t"
		"ldr x10, [x9, %[tail]]\n\t"
		"cmp x10, #0\n\t"
		"csel x10, x9, x10, eq\n\t"
		"str %[node], [x10]\n\t"
		"str %[node], [x9, %[tail]]\n"
		"2:\n\t"
		".pushsection __rseq_failure, \"ax?\", @progbits\n\t"
		".long %c[sig]\n"
		"4:\n\t"
		"b %l[fail]\n\t"
		".popsection"
		:
		: [rseq] "r"((char *)__builtin_thread_pointer() + __rseq_offset), [mark] "r"(mark),
		[lists] "r"(lists), [node] "r"(node), [stride] "r"((uint64_t)SRCU_PERCPU_STRIDE),
		[tail] "i"(SRCU_LIST_TAIL), [sig] "i"(RSEQ_SIG)
		: "x9", "x10", "memory", "cc"
		: fail);
	return true;
fail:
	SRCU_COLD_LABEL_;
	return false;
}

/* As above; the count has a sequence of its own. */
static inline enum srcu_push_ srcu_rseq_push_(
	const uintptr_t *lists, const uint32_t *mark, void *node)
{
	if (!__atomic_load_n(mark, __ATOMIC_ACQUIRE) ||
		!srcu_rseq_add_(*lists + SRCU_LIST_PUSHED, mark, 1))
		return SRCU_NOT_PUSHED_;
	return srcu_rseq_append_(lists, mark, node) ? SRCU_PUSHED_ : SRCU_COUNTED_;
}
#endif
#endif

#endif /* SRCU_PUSH_H */
