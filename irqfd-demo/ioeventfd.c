/* SPDX-License-Identifier: MIT */
/*
 * The table of ioeventfds; ioeventfd.h says how it is shared.  Owns the tables,
 * and keeps the eventfds in them.
 */
#include "ioeventfd.h"

#include "demo.h"
#include "memslots.h"

#include <errno.h>
#include <stdlib.h>

struct entry {
	struct hub_event *event;
	struct ioevent ioevent;
};

/* Never changes once it is published. */
struct iobus {
	struct srcu_head head;
	size_t nr;
	struct entry entry[];
};

void ioeventfd_init(struct memory *memory)
{
	memory->iobus = zalloc(sizeof(*memory->iobus));
}

void ioeventfd_end(struct memory *memory)
{
	for (size_t i = 0; i < memory->iobus->nr; i++)
		hub_drop(memory->iobus->entry[i].event);
	free(memory->iobus);
}

static bool wildcard(const struct ioevent *ioevent)
{
	return !(ioevent->flags & IOEVENT_DATAMATCH);
}

static uint32_t bus(uint32_t flags)
{
	return flags & IOEVENT_PIO ? IOEVENT_PIO : flags & IOEVENT_CCW;
}

static bool same_place(const struct ioevent *a, const struct ioevent *b)
{
	return bus(a->flags) == bus(b->flags) && a->addr == b->addr;
}

static bool equal(const struct ioevent *a, const struct ioevent *b)
{
	if (!same_place(a, b) || a->length != b->length || wildcard(a) != wildcard(b))
		return false;
	return wildcard(a) || a->datamatch == b->datamatch;
}

static bool collide(const struct ioevent *a, const struct ioevent *b)
{
	if (!same_place(a, b))
		return false;
	if (!a->length || !b->length)
		return true;
	if (a->length != b->length)
		return false;
	return wildcard(a) || wildcard(b) || a->datamatch == b->datamatch;
}

int ioeventfd_check(const struct ioevent *ioevent)
{
	uint32_t length = ioevent->length;

	if (length > 8 || (length & (length - 1)))
		return -EINVAL;
	if (ioevent->addr + length < ioevent->addr || ioevent->flags & ~IOEVENT_FLAGS)
		return -EINVAL;
	return length || wildcard(ioevent) ? 0 : -EINVAL;
}

/* A copy of @from without the entry at @without, and with room for one more. */
static struct iobus *bus_copy(const struct iobus *from, size_t without)
{
	struct iobus *to = zalloc(sizeof(*to) + (from->nr + 1) * sizeof(to->entry[0]));

	for (size_t i = 0; i < from->nr; i++)
		if (i != without)
			to->entry[to->nr++] = from->entry[i];
	return to;
}

static void bus_free(struct srcu_head *head)
{
	free((char *)head - offsetof(struct iobus, head));
}

static int assign_locked(
	struct memory *memory, struct hub_event *event, const struct ioevent *ioevent)
{
	struct iobus *old = memory->iobus, *new;

	for (size_t i = 0; i < old->nr; i++)
		if (collide(&old->entry[i].ioevent, ioevent))
			return -EEXIST;
	hub_keep(event);
	new = bus_copy(old, old->nr);
	new->entry[new->nr++] = (struct entry){.event = event, .ioevent = *ioevent};
	srcu_assign_pointer(memory->iobus, new);
	call_srcu(&memory->srcu, &old->head, bus_free);
	return 0;
}

static int deassign_locked(
	struct memory *memory, struct hub_event *event, const struct ioevent *ioevent)
{
	struct iobus *old = memory->iobus;

	for (size_t i = 0; i < old->nr; i++) {
		if (old->entry[i].event != event || !equal(&old->entry[i].ioevent, ioevent))
			continue;
		srcu_assign_pointer(memory->iobus, bus_copy(old, i));
		synchronize_srcu_expedited(&memory->srcu);
		free(old);
		hub_drop(event);
		return 0;
	}
	return -ENOENT;
}

int ioeventfd_assign(struct memory *memory, struct hub_event *event, const struct ioevent *ioevent)
{
	int error;

	pthread_mutex_lock(&memory->slots_lock);
	error = assign_locked(memory, event, ioevent);
	pthread_mutex_unlock(&memory->slots_lock);
	return error;
}

int ioeventfd_deassign(
	struct memory *memory, struct hub_event *event, const struct ioevent *ioevent)
{
	int error;

	pthread_mutex_lock(&memory->slots_lock);
	error = deassign_locked(memory, event, ioevent);
	pthread_mutex_unlock(&memory->slots_lock);
	return error;
}

static bool matches(
	const struct ioevent *ioevent, bool pio, uint64_t addr, uint32_t length, uint64_t value)
{
	if (bus(ioevent->flags) != (pio ? IOEVENT_PIO : 0) || ioevent->addr != addr)
		return false;
	if (!ioevent->length)
		return true;
	return ioevent->length == length && (wildcard(ioevent) || ioevent->datamatch == value);
}

bool ioeventfd_write(
	struct memory *memory, bool pio, uint64_t addr, uint32_t length, uint64_t value)
{
	const struct iobus *iobus;

	srcu_guard(&memory->srcu);
	iobus = srcu_dereference(memory->iobus, &memory->srcu);
	for (size_t i = 0; i < iobus->nr; i++) {
		if (!matches(&iobus->entry[i].ioevent, pio, addr, length, value))
			continue;
		hub_signal(iobus->entry[i].event, 1);
		return true;
	}
	return false;
}
