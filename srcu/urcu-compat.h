/* SPDX-License-Identifier: MIT */
/*
 * liburcu's interface over one domain of the process, srcu_urcu_domain: a unit
 * that includes this header in place of <urcu.h> or another header of a flavor
 * uses libsrcu, whatever the rest of the program uses.  urcu-compat(3) has
 * what differs.
 *
 * rcu_read_lock() has no token and nests.  Each thread has a count of its
 * sections, and the token of the outermost one, which alone the domain counts.  They
 * are thread-local in the library, and not exported: the library tells how far
 * from the thread pointer they lie, which is the same in all threads.
 *
 * Of liburcu's headers, those that belong to no flavor may be included as well,
 * such as <urcu/rculist.h>, before this one if there is a choice.  The names
 * rcu_dereference() and the like are those of whichever came last; they do the same.
 */
#ifndef SRCU_URCU_COMPAT_H
#define SRCU_URCU_COMPAT_H

#ifdef rcu_read_lock
#error "include <srcu/urcu-compat.h> instead of the header of a flavor of liburcu, not after it"
#endif

#include <srcu/srcu.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The domain, for srcu_get_stats(), srcu_debug() and all else that takes one. */
SRCU_API extern struct srcu_struct srcu_urcu_domain;

/* What a thread knows of its sections.  Handlers leave nesting_ as they find it. */
struct srcu_urcu_sections_ {
	unsigned long nesting_;
	struct srcu_ctr *scp_; /* the token, unless nesting_ is 0 */
};

/*
 * From the thread pointer, or 0 before the library's constructors.  Const as
 * __rseq_offset is: a loop keeps the address, which the processor makes use of.
 */
#ifdef SRCU_BUILD
SRCU_API extern ptrdiff_t srcu_urcu_offset_;
#else
extern const ptrdiff_t srcu_urcu_offset_;
#endif
SRCU_API struct srcu_urcu_sections_ *srcu_urcu_thread_(void);
SRCU_API void srcu_urcu_unmatched_(void);

#ifdef SRCU_RSEQ_INLINE
SRCU_INLINE_ char *srcu_thread_pointer_(void)
{
#ifdef __x86_64__
	char *thread;

	__asm__("movq %%fs:0, %0" : "=r"(thread));
	return thread;
#else
	return (char *)__builtin_thread_pointer();
#endif
}
#endif

SRCU_INLINE_ struct srcu_urcu_sections_ *srcu_urcu_self_(void)
{
#ifdef SRCU_RSEQ_INLINE
	if (srcu_likely_(srcu_urcu_offset_ != 0))
		return (struct srcu_urcu_sections_ *)(void *)(srcu_thread_pointer_() +
							      srcu_urcu_offset_);
#endif
	return srcu_urcu_thread_();
}

/*
 * A handler that comes before nesting_ is set has a section and a token of its
 * own; one that comes later nests and leaves the token alone.  So the token is stored
 * last here, and read first at the end.  It seldom changes, and a load is cheaper
 * than a store.
 */
SRCU_INLINE_ void rcu_read_lock(void)
{
	struct srcu_urcu_sections_ *self = srcu_urcu_self_();
	unsigned long nesting = __atomic_load_n(&self->nesting_, __ATOMIC_RELAXED);
	struct srcu_ctr *scp;

	if (srcu_unlikely_(nesting != 0)) {
		__atomic_store_n(&self->nesting_, nesting + 1, __ATOMIC_RELAXED);
		return;
	}
	scp = srcu_read_lock_fast(&srcu_urcu_domain);
	__atomic_store_n(&self->nesting_, 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (srcu_unlikely_(__atomic_load_n(&self->scp_, __ATOMIC_RELAXED) != scp))
		__atomic_store_n(&self->scp_, scp, __ATOMIC_RELAXED);
}

SRCU_INLINE_ void rcu_read_unlock(void)
{
	struct srcu_urcu_sections_ *self = srcu_urcu_self_();
	unsigned long nesting = __atomic_load_n(&self->nesting_, __ATOMIC_RELAXED);

	if (srcu_likely_(nesting == 1)) {
		struct srcu_ctr *scp = __atomic_load_n(&self->scp_, __ATOMIC_RELAXED);

		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		__atomic_store_n(&self->nesting_, 0, __ATOMIC_RELAXED);
		srcu_read_unlock_fast(&srcu_urcu_domain, scp);
	} else if (nesting) {
		__atomic_store_n(&self->nesting_, nesting - 1, __ATOMIC_RELAXED);
	} else {
		srcu_urcu_unmatched_();
	}
}

SRCU_INLINE_ int rcu_read_ongoing(void)
{
	return __atomic_load_n(&srcu_urcu_self_()->nesting_, __ATOMIC_RELAXED) != 0;
}

SRCU_INLINE_ void synchronize_rcu(void)
{
	synchronize_srcu(&srcu_urcu_domain);
}

struct urcu_gp_poll_state {
	uint64_t cookie_;
};

SRCU_INLINE_ struct urcu_gp_poll_state start_poll_synchronize_rcu(void)
{
	struct urcu_gp_poll_state state = {start_poll_synchronize_srcu(&srcu_urcu_domain)};

	return state;
}

SRCU_INLINE_ bool poll_state_synchronize_rcu(struct urcu_gp_poll_state state)
{
	return poll_state_synchronize_srcu(&srcu_urcu_domain, state.cookie_);
}

#define rcu_head srcu_head

/* The thread is started here, as nobody has initialised the domain; else it is there. */
SRCU_INLINE_ void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *))
{
	call_srcu(&srcu_urcu_domain, head, func);
	srcu_start_callbacks();
}

SRCU_INLINE_ void rcu_barrier(void)
{
	srcu_barrier(&srcu_urcu_domain);
}

/* What threads and forks need not do here. */
static inline void rcu_init(void)
{
}

static inline void rcu_register_thread(void)
{
}

static inline void rcu_unregister_thread(void)
{
}

static inline void rcu_thread_offline(void)
{
}

static inline void rcu_thread_online(void)
{
}

static inline void rcu_quiescent_state(void)
{
}

static inline void call_rcu_before_fork(void)
{
}

static inline void call_rcu_after_fork_parent(void)
{
}

static inline void call_rcu_after_fork_child(void)
{
}

static inline void rcu_bp_before_fork(void)
{
}

static inline void rcu_bp_after_fork_parent(void)
{
}

static inline void rcu_bp_after_fork_child(void)
{
}

/* <urcu/pointer.h> has the same, through functions of liburcu's. */
#undef rcu_dereference
#undef rcu_set_pointer
#undef rcu_assign_pointer
#undef rcu_xchg_pointer
#undef rcu_cmpxchg_pointer

#define rcu_dereference(p) srcu_dereference(p, &srcu_urcu_domain)

#define rcu_set_pointer(p, v)                                       \
	__extension__({                                             \
		__typeof__(*(p)) srcu_new_ = (v);                   \
		__atomic_store_n((p), srcu_new_, __ATOMIC_RELEASE); \
	})

#define rcu_assign_pointer(p, v) rcu_set_pointer(&(p), v)

#define rcu_xchg_pointer(p, v)                                         \
	__extension__({                                                \
		__typeof__(*(p)) srcu_new_ = (v);                      \
		__atomic_exchange_n((p), srcu_new_, __ATOMIC_SEQ_CST); \
	})

#define rcu_cmpxchg_pointer(p, old, v)                                                      \
	__extension__({                                                                     \
		__typeof__(*(p)) srcu_old_ = (old), srcu_new_ = (v);                        \
		__atomic_compare_exchange_n(                                                \
			(p), &srcu_old_, srcu_new_, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
		srcu_old_;                                                                  \
	})

/* As in <urcu/compiler.h>: callbacks find their object by it. */
#ifndef caa_container_of
#define caa_container_of(ptr, type, member)                                   \
	__extension__({                                                       \
		const __typeof__(((type *)NULL)->member) *srcu_ptr_ = (ptr);  \
		(type *)(void *)((char *)srcu_ptr_ - offsetof(type, member)); \
	})
#endif

#ifdef __cplusplus
}
#endif

#endif /* SRCU_URCU_COMPAT_H */
