/* SPDX-License-Identifier: MIT */
/*
 * The backend on /dev/kvm where there is none for this architecture: the
 * interrupt controllers of the scenarios are those of x86.
 */
#include "step.h"

static struct world *kvm_begin(const char **why)
{
	*why = "KVM is used on x86-64 only";
	return NULL;
}

const struct backend kvm_backend = {.name = "kvm", .begin = kvm_begin};
