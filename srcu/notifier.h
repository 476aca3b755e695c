/* SPDX-License-Identifier: MIT */
/*
 * SRCU notifier chains: callbacks in order of priority, for events that are
 * frequent beside the comings and goings of those who want to hear of them.
 * A call is a read-side critical section around the callbacks, which may
 * block; an unregistration pays with a grace period.
 *
 * For any program; srcu/notifier.c has the chain's writers.
 */
#ifndef SRCU_NOTIFIER_H
#define SRCU_NOTIFIER_H

#include <srcu/srcu.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a callback returns.  The chain looks at NOTIFY_STOP_MASK alone, which
 * ends the call; the rest is between the callbacks and the caller.
 */
#define NOTIFY_DONE      0x0000                   /* of no interest to me */
#define NOTIFY_OK        0x0001                   /* seen to */
#define NOTIFY_STOP_MASK 0x8000                   /* call no further callbacks */
#define NOTIFY_BAD       (NOTIFY_STOP_MASK | 0x2) /* refused: stop */
#define NOTIFY_STOP      (NOTIFY_STOP_MASK | 0x1) /* seen to: stop */

/**
 * struct notifier_block - one who wants to be called
 *
 * The caller's memory, which stays in place while it is registered, as do
 * @notifier_call and @priority.  @next is the chain's.
 *
 * Origin: Linux, struct notifier_block.
 */
struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action, void *data);
	struct notifier_block *next;
	int priority;
};

/**
 * struct srcu_notifier_head - a chain
 *
 * Its members are the library's; srcu_get_stats() may be asked about @srcu.
 *
 * Origin: Linux, struct srcu_notifier_head.
 */
struct srcu_notifier_head {
	struct srcu_struct srcu;      /* calls are its readers */
	uint32_t lock_;               /* held by writers */
	struct notifier_block *head_; /* written under lock_ */
};

/**
 * SRCU_NOTIFIER_INIT - the initial value of a chain without blocks
 * @name: the variable's name, also the domain's in reports
 *
 * For chains of static storage duration; needs no srcu_init_notifier_head().
 *
 * Origin: Linux, SRCU_NOTIFIER_INIT().
 */
#define SRCU_NOTIFIER_INIT(name)                 \
	{                                        \
		SRCU_STRUCT_INIT_(name), 0, NULL \
	}

/**
 * SRCU_NOTIFIER_HEAD, SRCU_NOTIFIER_HEAD_STATIC - define a chain at file scope
 * @name: the variable's name, also the domain's in reports
 *
 * Origin: Linux, SRCU_NOTIFIER_HEAD() and SRCU_NOTIFIER_HEAD_STATIC().
 */
#define SRCU_NOTIFIER_HEAD(name) \
	struct srcu_notifier_head name = SRCU_NOTIFIER_INIT(name) SRCU_UNLOAD_(name, &name.srcu)
#define SRCU_NOTIFIER_HEAD_STATIC(name)         \
	static struct srcu_notifier_head name = \
		SRCU_NOTIFIER_INIT(name) SRCU_UNLOAD_(name, &name.srcu)

/**
 * srcu_init_notifier_head - initialise a chain without blocks
 * @nh: memory for it, of any contents
 *
 * Context: any thread; not a signal handler.  Does not block.
 * Return: 0; -EINVAL when @nh is NULL; -ENOMEM when there is no per-CPU memory.
 * Origin: Linux, where it returns nothing and halts the machine without memory.
 */
SRCU_API int srcu_init_notifier_head(struct srcu_notifier_head *nh);

/**
 * srcu_cleanup_notifier_head - end the use of a chain and free what it holds
 * @nh: the chain, also one that SRCU_NOTIFIER_HEAD() defined
 *
 * Blocks may still be registered; they are forgotten, and may be freed.  While
 * a call or an unregistration is under way it says so through the warn handler
 * and leaves the chain usable, as cleanup_srcu_struct() does: free the memory
 * around a chain only after a return of 0.
 *
 * Context: any thread; not a signal handler, not inside a callback of @nh.  Blocks as
 * cleanup_srcu_struct() does.
 * Return: 0; -EBUSY; -EINVAL for a chain that is NULL, was never initialised or was
 * cleaned up before.
 * Origin: Linux, where it warns and leaks instead of returning an error.
 */
SRCU_API int srcu_cleanup_notifier_head(struct srcu_notifier_head *nh);

SRCU_API int __srcu_notifier_chain_register(
	struct srcu_notifier_head *nh, struct notifier_block *nb);
SRCU_API int __srcu_notifier_chain_unregister(
	struct srcu_notifier_head *nh, struct notifier_block *nb);

/**
 * srcu_notifier_chain_register - have a block called by a chain
 * @nh: the chain
 * @nb: the block, on no chain
 *
 * A block is called before those of lower priority, and after those of equal
 * priority that were registered before it.  Calls that are under way may or may
 * not reach it.
 *
 * Context: any thread, also inside a callback, of @nh as well; not a signal
 * handler.  Waits for other writers of @nh, for no reader.
 * Ordering: what the caller wrote before is seen by the callback.
 * Return: 0; -EEXIST when @nb is on @nh; -EINVAL when @nh, @nb or the block's
 * notifier_call is NULL.
 * Origin: Linux, srcu_notifier_chain_register().
 */
static inline int srcu_notifier_chain_register(
	struct srcu_notifier_head *nh, struct notifier_block *nb)
{
	srcu_tsan_release_(nb);
	return __srcu_notifier_chain_register(nh, nb);
}

/**
 * srcu_notifier_chain_unregister - take a block off a chain, and wait until it is not in use
 * @nh: the chain
 * @nb: the block
 *
 * At the return no call of @nb is under way and none will come: the block and
 * what its callback uses may be freed.  -ENOENT is returned after the same
 * wait, so that this also holds for the later of two that take off one block.
 *
 * Context: any thread; not a signal handler, not inside a callback of @nh,
 * where it would wait for itself.  Blocks until the calls that are under way
 * have ended, and meanwhile holds no lock of the chain.  Not a cancellation
 * point.
 * Ordering: as synchronize_srcu(); what the callback did is seen at the return.
 * Return: 0; -ENOENT when @nb is not on @nh; -EINVAL when @nh or @nb is NULL.
 * Origin: Linux, srcu_notifier_chain_unregister().
 */
static inline int srcu_notifier_chain_unregister(
	struct srcu_notifier_head *nh, struct notifier_block *nb)
{
	int error = __srcu_notifier_chain_unregister(nh, nb);

	srcu_tsan_acquire_(nh);
	return error;
}

/**
 * srcu_notifier_call_chain - call the blocks of a chain
 * @nh: the chain
 * @action: handed to each callback
 * @data: handed to each callback
 *
 * Calls the blocks in order until one returns a value with NOTIFY_STOP_MASK
 * set.  Callbacks may block, call this and other chains, and register blocks.
 * They end by returning: one that leaves by an exception, longjmp() or a thread's
 * cancellation leaves the section open.
 *
 * Context: any in which the callbacks may run, signal handlers included.
 * Ordering: a callback sees what came before its block's registration.
 * Return: what the last callback to be called returned; NOTIFY_DONE without one.
 * Origin: Linux, srcu_notifier_call_chain().
 */
static inline int srcu_notifier_call_chain(
	struct srcu_notifier_head *nh, unsigned long action, void *data)
{
	struct srcu_ctr *section = srcu_read_lock_fast(&nh->srcu);
	int ret = NOTIFY_DONE;
	struct notifier_block *nb;

	/*
	 * The loads pair with the releases of the writers' stores to the links.
	 * A block's next is loaded after its callback: the block is there until
	 * the section ends, and the callback may have run for long, in which time
	 * blocks behind it came and went.
	 */
	for (nb = srcu_dereference(nh->head_, &nh->srcu); nb && !(ret & NOTIFY_STOP_MASK);
		nb = srcu_dereference(nb->next, &nh->srcu)) {
		srcu_tsan_acquire_(nb);
		ret = nb->notifier_call(nb, action, data);
	}
	srcu_read_unlock_fast(&nh->srcu, section);
	return ret;
}

#ifdef __cplusplus
}
#endif

#endif /* SRCU_NOTIFIER_H */
