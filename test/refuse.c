/* SPDX-License-Identifier: MIT */
/* What refuse.h declares. */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "refuse.h"

#define MOST 8

static struct sock_filter load(size_t offset)
{
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset);
}

static struct sock_filter answer(unsigned int action)
{
	return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
}

static bool install(struct sock_filter *filter, unsigned int length)
{
	struct sock_fprog program = {(unsigned short)length, filter};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

bool refuse(const int *numbers, int error)
{
	struct sock_filter filter[2 * MOST + 2];
	unsigned int n = 0;

	filter[n++] = load(offsetof(struct seccomp_data, nr));
	for (; *numbers >= 0 && n < 2 * MOST; numbers++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)*numbers, 0, 1);
		filter[n++] = answer(SECCOMP_RET_ERRNO | (unsigned int)error);
	}
	filter[n++] = answer(SECCOMP_RET_ALLOW);
	return install(filter, n);
}

bool refuse_if(int number, unsigned int bits, int error)
{
	const size_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4;
	struct sock_filter filter[] = {
		load(offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 4),
		load(offsetof(struct seccomp_data, args) + low),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1),
		answer(SECCOMP_RET_ERRNO | (unsigned int)error),
		answer(SECCOMP_RET_ALLOW),
	};

	return install(filter, sizeof(filter) / sizeof(filter[0]));
}
