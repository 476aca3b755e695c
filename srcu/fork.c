/* SPDX-License-Identifier: MIT */
/*
 * fork().  The child has the domains, but of the threads only the one that made
 * it: sections, grace periods and callbacks that others were at are at rest, and
 * locks that they held are free.  No lock is taken and nothing is allocated by
 * malloc() here, since the others may have held that lock as well.
 *
 * A child made by _Fork() or a plain clone() calls no handler.  It is known by a
 * page that is wiped in it, which the update side looks at.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"
#include "percpu-memory.h"

static const uint32_t always = PROCESS_KNOWN;

/* Points to what becomes PROCESS_NEW when the process has become another one. */
const uint32_t *srcu_same_process = &always;

static uint32_t generation;

uint32_t srcu_generation(void)
{
	return __atomic_load_n(&generation, __ATOMIC_RELAXED);
}

static void visit(void *owner, uintptr_t slot)
{
	if (!((uintptr_t)owner & OWNER_GONE))
		srcu_domain_after_fork(owner, slot);
}

/*
 * Is it for us to do what a new process needs?  It may be noticed more than once:
 * by a handler of fork() that comes before ours, by several threads of a child
 * that was made without handlers.  All but the first wait for the first.
 */
static bool claim(uint32_t *word)
{
	uint32_t state = PROCESS_NEW;

	if (__atomic_compare_exchange_n(
		    word, &state, PROCESS_AT_IT, false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
		return true;
	while (state != PROCESS_KNOWN) {
		sched_yield();
		state = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	}
	return false;
}

/*
 * Keep handlers out, which may fork.  Not those of what the thread itself does: blocked,
 * such a signal ends the process.  Async-signal-safe; keeps errno.
 */
void srcu_block_signals(sigset_t *before)
{
	static const int own[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
	sigset_t others;

	sigfillset(&others);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&others, own[i]);
	pthread_sigmask(SIG_BLOCK, &others, before);
}

void srcu_restore_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

void srcu_after_fork(void)
{
	uint32_t *word =
		srcu_same_process == &always ? NULL : (uint32_t *)(uintptr_t)srcu_same_process;
	int saved_errno = errno;
	sigset_t before;

	srcu_block_signals(&before);
	if (!word || claim(word)) {
		srcu_leave_threads_behind();
		__atomic_fetch_add(&generation, 1, __ATOMIC_RELAXED);
		srcu_forget_marks();
		srcu_forget_threads();
		srcu_percpu_for_each(PERCPU_SLOTS, visit);
		srcu_slotless_for_each(srcu_slotless_after_fork);
		if (word)
			__atomic_store_n(word, PROCESS_KNOWN, __ATOMIC_RELEASE);
	}
	srcu_restore_signals(&before);
	errno = saved_errno;
}

/*
 * Is the page wiped in children?  Emulators (the user mode of qemu 7.2) and filters may
 * answer so without doing it, and do that to advice too that is none: believed, they would
 * leave children unmended.
 */
static bool wiped_on_fork(void *at, size_t page)
{
	return !madvise(at, page, MADV_WIPEONFORK) && madvise(at, page, -1);
}

__attribute__((constructor)) static void constructor(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint32_t *word =
		mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (word != MAP_FAILED && wiped_on_fork(word, page)) {
		*word = PROCESS_KNOWN;
		/* Release: constructors of other objects may have started threads already. */
		__atomic_store_n(&srcu_same_process, word, __ATOMIC_RELEASE);
	} else if (word != MAP_FAILED) {
		munmap(word, page);
	}
	pthread_atfork(NULL, NULL, srcu_after_fork);
}
