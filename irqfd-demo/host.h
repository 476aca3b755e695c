/* SPDX-License-Identifier: MIT */
/*
 * The process's own memory as its machines use it: an arena of pages, each on a
 * frame, and the listeners that are told when a page changes its frame.  One
 * arena per process.
 *
 * A user address (hva) is an offset from the arena's beginning; nothing is mapped
 * behind the arena's end.
 */
#ifndef HOST_H
#define HOST_H

#include "step.h"

#define GUEST_PAGE_SHIFT 12
#define GUEST_PAGE_SIZE  (1u << GUEST_PAGE_SHIFT)

/* What a page holds that nobody has written: no byte of what machines write. */
#define HOST_CLEAN 0xff

/* Whoever keeps translations to frames.  Both calls may block; hvas are [first, end). */
struct host_listener {
	struct host_listener *next;
	void (*invalidate_start)(struct host_listener *listener, uint64_t first, uint64_t end);
	void (*invalidate_end)(struct host_listener *listener, uint64_t first, uint64_t end);
};

/* Make the whole arena clean, before there are machines. */
void host_clean(void);

/* Neither runs while a page changes its frame: no listener sees half of a change. */
void host_listen(struct host_listener *listener);
void host_unlisten(struct host_listener *listener);

/*
 * Unmap the arena's @page and map it afresh, clean and on another frame.  When it
 * returns no listener keeps the frame before.
 */
void host_remap(unsigned int page);

/* The frame behind @hva; 0 when nothing is mapped there.  Any thread. */
uint64_t host_frame(uint64_t hva);

/*
 * Copy from and to memory at @hva, which lies in one page with the @n bytes that
 * follow; false when nothing is mapped there.  Any thread: what two store at the
 * same place is a mixture.
 */
bool host_load(uint64_t hva, void *to, size_t n);
bool host_store(uint64_t hva, const void *from, size_t n);

/* Was the arena's @page written since it was last clean?  Cleans it. */
bool host_take_written(unsigned int page);

#endif /* HOST_H */
