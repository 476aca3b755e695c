/* SPDX-License-Identifier: MIT */
/*
 * Reads that begin without the lock and take it when that has been in vain.  Part
 * of <seqcount/seqlock.h>.
 */
#ifndef SEQCOUNT_SEQLOCK_READ_H
#define SEQCOUNT_SEQLOCK_READ_H

#ifndef SEQCOUNT_SEQLOCK_H
#error "include <seqcount/seqlock.h> instead"
#endif

/**
 * read_seqbegin_or_lock - begin a pass, without the lock or with it
 * @sl: the lock
 * @seq: even: read without the lock, and is set to the sequence; odd: take the lock
 *
 * The caller makes @seq odd before its second pass; otherwise that goes without the
 * lock as well, and so on.
 *
 *	int seq = 0, next = 1;
 *
 *	do {
 *		read_seqbegin_or_lock(&lock, &seq);
 *		seqcount_load(&copy, &data, sizeof(copy));
 *	} while (need_seqretry(&lock, seq) && (seq = next));
 *	done_seqretry(&lock, seq);
 *
 * Context: as read_seqbegin().
 * Ordering: as read_seqbegin(), or read_seqlock_excl().
 * Origin: Linux, read_seqbegin_or_lock().
 */
SEQCOUNT_INLINE_ void read_seqbegin_or_lock(seqlock_t *sl, int *seq)
{
	if ((*seq & 1) != 0)
		read_seqlock_excl(sl);
	else
		*seq = (int)read_seqbegin(sl);
}

/**
 * need_seqretry - tell whether a pass was in vain
 * @sl: the lock
 * @seq: as read_seqbegin_or_lock() left it
 *
 * Context, Ordering: as read_seqretry().
 * Return: false for a pass with the lock; else as read_seqretry().
 * Origin: Linux, need_seqretry().
 */
SEQCOUNT_INLINE_ bool need_seqretry(const seqlock_t *sl, int seq)
{
	return (seq & 1) == 0 && read_seqretry(sl, (unsigned int)seq);
}

/**
 * done_seqretry - end the last pass
 * @sl: the lock, which is dropped when that pass had it
 * @seq: as read_seqbegin_or_lock() left it
 *
 * Context: as read_seqbegin().
 * Ordering: none, or that of a mutex.
 * Origin: Linux, done_seqretry().
 */
SEQCOUNT_INLINE_ void done_seqretry(seqlock_t *sl, int seq)
{
	if ((seq & 1) != 0)
		read_sequnlock_excl(sl);
}

/**
 * read_seqbegin_or_lock_irqsave, done_seqretry_irqrestore - the same with signals
 * blocked in a pass with the lock
 * @sl: the lock
 * @seq: as for read_seqbegin_or_lock()
 * @flags: what read_seqbegin_or_lock_irqsave() returned
 *
 * Context: as read_seqbegin_or_lock(), or read_seqlock_excl_irqsave().
 * Ordering: as read_seqbegin_or_lock() and done_seqretry().
 * Return: the signal mask to be restored, if signals are blocked.
 * Origin: Linux, where it is an unsigned long.
 */
SEQCOUNT_INLINE_ sigset_t read_seqbegin_or_lock_irqsave(seqlock_t *sl, int *seq)
{
	sigset_t flags;

	sigemptyset(&flags);
	if ((*seq & 1) != 0)
		read_seqlock_excl_irqsave(sl, flags);
	else
		*seq = (int)read_seqbegin(sl);
	return flags;
}

SEQCOUNT_INLINE_ void done_seqretry_irqrestore(seqlock_t *sl, int seq, sigset_t flags)
{
	if ((seq & 1) != 0)
		read_sequnlock_excl_irqrestore(sl, flags);
}

/**
 * ss_lockless, ss_lock, ss_lock_irqsave, ss_lock_after, ss_lock_irqsave_after - how
 * scoped_seqlock_read() ends
 * @passes: how many go without the lock, at least one
 *
 * ss_lockless: every pass goes without the lock.  ss_lock: the second pass holds it;
 * ss_lock_after(@passes): the one after so many.  _irqsave: with signals blocked.
 *
 * Context: as scoped_seqlock_read().
 * Origin: Linux, but for the two with a number.
 */
#define ss_lockless                   0u
#define ss_lock                       ss_lock_after(1u)
#define ss_lock_irqsave               ss_lock_irqsave_after(1u)
#define ss_lock_after(passes)         ((unsigned int)(passes))
#define ss_lock_irqsave_after(passes) (ss_lock_after(passes) | SEQLOCK_SIGNALS_)
#define SEQLOCK_SIGNALS_              (1u << 31)

enum seqlock_pass_ { SEQLOCK_DONE_, SEQLOCK_LOCKLESS_, SEQLOCK_LOCKED_ };

struct seqlock_scope_ {
	seqlock_t *lock;
	bool limited;        /* by a number of passes without the lock */
	bool signals;        /* are blocked while it is held */
	unsigned int passes; /* left */
	unsigned int start;
	enum seqlock_pass_ pass;
	sigset_t flags;
};

SEQCOUNT_INLINE_ void seqlock_scope_begin_(
	struct seqlock_scope_ *scope, seqlock_t *sl, unsigned int target)
{
	scope->lock = sl;
	scope->passes = target & ~SEQLOCK_SIGNALS_;
	scope->limited = scope->passes != 0;
	scope->signals = (target & SEQLOCK_SIGNALS_) != 0;
	scope->start = read_seqbegin(sl);
	scope->pass = SEQLOCK_LOCKLESS_;
}

SEQCOUNT_OUTLINE_ void seqlock_scope_lock_(struct seqlock_scope_ *scope)
{
	if (scope->signals)
		read_seqlock_excl_irqsave(scope->lock, scope->flags);
	else
		read_seqlock_excl(scope->lock);
	scope->pass = SEQLOCK_LOCKED_;
}

SEQCOUNT_OUTLINE_ void seqlock_scope_unlock_(struct seqlock_scope_ *scope)
{
	if (scope->signals)
		read_sequnlock_excl_irqrestore(scope->lock, scope->flags);
	else
		read_sequnlock_excl(scope->lock);
	scope->pass = SEQLOCK_DONE_;
}

/* At the end of a scope, however it is left. */
SEQCOUNT_INLINE_ void seqlock_scope_end_(struct seqlock_scope_ *scope)
{
	if (__builtin_expect(scope->pass == SEQLOCK_LOCKED_, 0))
		seqlock_scope_unlock_(scope);
}

/* At the end of a pass. */
SEQCOUNT_INLINE_ void seqlock_scope_next_(struct seqlock_scope_ *scope)
{
	if (scope->pass == SEQLOCK_LOCKED_) {
		seqlock_scope_unlock_(scope);
	} else if (!read_seqretry(scope->lock, scope->start)) {
		scope->pass = SEQLOCK_DONE_;
	} else if (scope->limited && --scope->passes == 0) {
		seqlock_scope_lock_(scope);
	} else {
		scope->start = read_seqbegin(scope->lock);
	}
}

/**
 * scoped_seqlock_read - read in the statement that follows, as often as it takes
 * @sl: the lock
 * @target: ss_lockless, ss_lock, ss_lock_irqsave, ss_lock_after() or
 * ss_lock_irqsave_after()
 *
 *	scoped_seqlock_read (&lock, ss_lock)
 *		seqcount_load(&copy, &data, sizeof(copy));
 *
 * The statement is a pass, and its end, or continue, looks whether it was in vain.
 * It may be left early, by break, return, goto or a C++ exception: a lock that it
 * holds is dropped, and what a pass without the lock has read is worthless.  The
 * data are read by seqcount_load() or seqcount_get(), as passes without the lock
 * need it.
 *
 * Context: as read_seqbegin().
 * Ordering: as read_seqbegin() and read_seqretry(), or that of a mutex.
 * Origin: Linux, scoped_seqlock_read().
 */
#define scoped_seqlock_read(sl, target) \
	SEQLOCK_SCOPED_((sl), (target), SEQCOUNT_NAME_, SEQCOUNT_NAME_)
#define SEQLOCK_SCOPED_(sl, target, scope, p)                                          \
	for (struct seqlock_scope_ scope __attribute__((cleanup(seqlock_scope_end_))), \
		*p = (seqlock_scope_begin_(&scope, sl, target), &scope);               \
		p->pass != SEQLOCK_DONE_; seqlock_scope_next_(p))

#endif /* SEQCOUNT_SEQLOCK_READ_H */
