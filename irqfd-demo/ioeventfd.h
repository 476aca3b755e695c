/* SPDX-License-Identifier: MIT */
/*
 * Addresses that are eventfds: a guest's write to one signals the eventfd, and
 * user space hears nothing else of it.
 *
 * A write looks its address up in a section of memory->srcu.  A registration
 * publishes a new table and leaves the old one to call_srcu(): at worst a write
 * under way misses it.  Its removal waits for a grace period: when it has
 * returned, no write signals that eventfd any more.
 *
 * Unlike an irqfd it does not end with its eventfd: the address stays taken when
 * the last handle is closed.
 */
#ifndef IOEVENTFD_H
#define IOEVENTFD_H

#include "hub.h"

#include <stdbool.h>

struct memory;

/* The bits of KVM_IOEVENTFD. */
#define IOEVENT_DATAMATCH 0x01u /* one value only */
#define IOEVENT_PIO       0x02u
#define IOEVENT_DEASSIGN  0x04u
#define IOEVENT_CCW       0x08u /* s390's bus, which KVM keeps apart everywhere */
#define IOEVENT_FLAGS     0x1fu

struct ioevent {
	uint64_t addr, datamatch;
	uint32_t length; /* 0: of any */
	uint32_t flags;
};

/* For a machine's beginning and end. */
void ioeventfd_init(struct memory *memory);
void ioeventfd_end(struct memory *memory);

/* What KVM looks at before the eventfd: 0 or -EINVAL.  For a registration only. */
int ioeventfd_check(const struct ioevent *ioevent);

/* Register: 0, or -EEXIST when a write could match another one as well. */
int ioeventfd_assign(struct memory *memory, struct hub_event *event, const struct ioevent *ioevent);

/* Take away one that is equal in everything: 0 or -ENOENT. */
int ioeventfd_deassign(
	struct memory *memory, struct hub_event *event, const struct ioevent *ioevent);

/* The guest writes: true when an eventfd was signalled, false when user space has to see to it. */
bool ioeventfd_write(
	struct memory *memory, bool pio, uint64_t addr, uint32_t length, uint64_t value);

#endif /* IOEVENTFD_H */
