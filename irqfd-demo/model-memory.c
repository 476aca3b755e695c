/* SPDX-License-Identifier: MIT */
/*
 * Steps about memory slots, the guest's memory and ioeventfds, carried out by the
 * model.  Owns nothing: the slots are the machine's, the arena is the process's.
 */
#include "model-memory.h"

#include "ioeventfd.h"
#include "memslots.h"
#include "text.h"
#include "vm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What comes before everything else in each call to a machine. */
static int argument_error(const struct step *step)
{
	if (step->child)
		return -EIO;
	return step->null ? -EFAULT : 0;
}

static void tell(char outcome[OUTCOME_SIZE], int error)
{
	snprintf(outcome, OUTCOME_SIZE, "%s", errno_name(-error));
}

static int run_slot(struct vm *vm, const struct step *step)
{
	int error = argument_error(step);

	return error ? error : memslots_set(vm->memory, &step->memory);
}

static int run_ioevent(struct vm *vm, const struct step *step)
{
	struct ioevent ioevent = {
		.addr = step->ioevent.addr,
		.datamatch = step->ioevent.datamatch,
		.length = step->ioevent.length,
		.flags = step->flags | (step->ioevent.pio ? IOEVENT_PIO : 0) |
			 (step->ioevent.wildcard ? 0 : IOEVENT_DATAMATCH) |
			 (step->op == OP_IOEVENT_OFF ? IOEVENT_DEASSIGN : 0),
	};
	bool off = ioevent.flags & IOEVENT_DEASSIGN;
	struct hub_event *event;
	int error = argument_error(step);

	if (!error && !off)
		error = ioeventfd_check(&ioevent);
	if (!error)
		error = model_event(vm, step->event, &event);
	if (error)
		return error;
	return off ? ioeventfd_deassign(vm->memory, event, &ioevent)
		   : ioeventfd_assign(vm->memory, event, &ioevent);
}

static void show_dirty(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE])
{
	uint64_t dirty;
	int error = memslots_take_dirty(vm->memory, step->memory.slot, &dirty);

	if (error)
		tell(outcome, error);
	else
		snprintf(outcome, OUTCOME_SIZE, "0x%" PRIx64, dirty);
}

bool model_memory_run(struct vm *vm, const struct step *step, char outcome[OUTCOME_SIZE])
{
	switch (step->op) {
	case OP_SLOT:
		tell(outcome, run_slot(vm, step));
		return true;
	case OP_GUEST_WRITE:
		guest_write_clock(vm->memory, step->gpa);
		tell(outcome, 0);
		return true;
	case OP_UNMAP:
		host_remap(step->page);
		tell(outcome, 0);
		return true;
	case OP_IOEVENT:
	case OP_IOEVENT_OFF:
		tell(outcome, run_ioevent(vm, step));
		return true;
	case OP_SHOW_PAGE:
		snprintf(outcome, OUTCOME_SIZE, "%s",
			host_take_written(step->page) ? "written" : "clean");
		return true;
	case OP_SHOW_DIRTY:
		show_dirty(vm, step, outcome);
		return true;
	default:
		return false;
	}
}
