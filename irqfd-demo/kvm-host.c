/* SPDX-License-Identifier: MIT */
/*
 * What the process needs of KVM before there is a world: /dev/kvm, what it is
 * able to do, and a machine of which nothing is seen, the sentinel, that tells
 * how far KVM's workers are.  Owns their descriptors, for good.
 */
#include "demo.h"
#include "kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define API_VERSION  12
#define SENTINEL_GSI 4000 /* has no route: what the worker does is nothing */

static struct kvm_host host = {.kvm = -1};
static char refusal[80];

static int bind(int machine, int event, unsigned int flags)
{
	struct kvm_irqfd argument = {.fd = (uint32_t)event, .gsi = SENTINEL_GSI, .flags = flags};

	return ioctl(machine, KVM_IRQFD, &argument);
}

static int new_machine(int kvm)
{
	int machine = ioctl(kvm, KVM_CREATE_VM, 0);

	if (machine >= 0 && ioctl(machine, KVM_CREATE_IRQCHIP, 0) == 0)
		return machine;
	if (machine >= 0)
		close(machine);
	return -1;
}

/* From Linux 6.17 on an eventfd is bound once among all machines, not once in each. */
static bool binds_once(int kvm)
{
	int machine = new_machine(kvm);
	bool once;

	if (machine < 0)
		die(errno, "cannot create a virtual machine");
	bind(host.sentinel, host.sentinel_event, 0);
	once = bind(machine, host.sentinel_event, 0) < 0 && errno == EBUSY;
	bind(host.sentinel, host.sentinel_event, KVM_IRQFD_FLAG_DEASSIGN);
	close(machine);
	return once;
}

static const char *missing_extension(int kvm)
{
	static const struct {
		int number;
		const char *name;
	} needed[] = {
		{KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"},
		{KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING"},
		{KVM_CAP_IRQ_INJECT_STATUS, "KVM_CAP_IRQ_INJECT_STATUS"},
		{KVM_CAP_IRQFD, "KVM_CAP_IRQFD"},
		{KVM_CAP_IRQFD_RESAMPLE, "KVM_CAP_IRQFD_RESAMPLE"},
		{KVM_CAP_SPLIT_IRQCHIP, "KVM_CAP_SPLIT_IRQCHIP"},
		{KVM_CAP_SIGNAL_MSI, "KVM_CAP_SIGNAL_MSI"},
		{KVM_CAP_IOEVENTFD_ANY_LENGTH, "KVM_CAP_IOEVENTFD_ANY_LENGTH"},
		{KVM_CAP_READONLY_MEM, "KVM_CAP_READONLY_MEM"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i].number) <= 0)
			return needed[i].name;
	return NULL;
}

static const char *examine(int kvm)
{
	const char *missing;

	if (kvm < 0) {
		snprintf(refusal, sizeof(refusal), "/dev/kvm: %s", strerror(errno));
		return refusal;
	}
	if (ioctl(kvm, KVM_GET_API_VERSION, 0) != API_VERSION)
		return "/dev/kvm has another API version";
	missing = missing_extension(kvm);
	if (missing) {
		snprintf(refusal, sizeof(refusal), "/dev/kvm has no %s", missing);
		return refusal;
	}
	host.sentinel = new_machine(kvm);
	if (host.sentinel < 0) {
		snprintf(
			refusal, sizeof(refusal), "/dev/kvm makes no machine: %s", strerror(errno));
		return refusal;
	}
	return NULL;
}

const struct kvm_host *kvm_host_open(const char **why)
{
	int kvm;

	if (host.kvm >= 0)
		return &host;
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	*why = examine(kvm);
	if (*why) {
		if (kvm >= 0)
			close(kvm);
		return NULL;
	}
	host.sentinel_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (host.sentinel_event < 0)
		die(errno, "cannot make eventfd");
	if (binds_once(kvm))
		host.features |= FEATURE_GLOBAL_EBUSY;
	if (ioctl(host.sentinel, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE) < 2)
		host.features |= FEATURE_ONE_ADDRESS_SPACE;
	host.cpu = sched_getcpu();
	if (host.cpu < 0)
		die(errno, "cannot tell the CPU");
	host.kvm = kvm;
	return &host;
}

/*
 * Work that is queued on one CPU starts in the order in which it was queued,
 * and injecting does not sleep.  So when an event of the sentinel's has been
 * handed to a worker, and deassign has waited for that worker, the earlier
 * events are through; and the teardowns, which deassign waits for all alike.
 */
void kvm_host_settle(const struct kvm_host *kvm)
{
	static const uint64_t one = 1;

	if (bind(kvm->sentinel, kvm->sentinel_event, 0) < 0)
		die(errno, "cannot bind the sentinel's eventfd");
	if (write(kvm->sentinel_event, &one, sizeof(one)) < 0)
		die(errno, "cannot write the sentinel's eventfd");
	if (bind(kvm->sentinel, kvm->sentinel_event, KVM_IRQFD_FLAG_DEASSIGN) < 0)
		die(errno, "cannot release the sentinel's eventfd");
}
