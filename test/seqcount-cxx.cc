/* SPDX-License-Identifier: MIT */
/*
 * C++ test of <seqcount/seqcount.h> and <seqcount/seqlock.h>: compiles, links from
 * two units without any library, and works under every type.  Exits with 0 when it
 * does.
 */
#include "test/seqcount-cxx.h"

#include <seqcount/seqlock.h>

static seqcount_t zero = SEQCNT_ZERO(zero);

static bool reads_what_was_written(place &p)
{
	move_place(p, 3, 4);
	const point seen = read_place(p);
	return seen.x == 3 && seen.y == 4;
}

static bool copies_through_void(const place &p)
{
	const void *from = &p.at;
	point copy = {0, 0};

	seqcount_load(&copy, from, sizeof(copy));
	return copy.x == p.at.x && copy.y == p.at.y;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spinlock;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static seqcount64_t wide = SEQCNT64_ZERO(wide);
static seqcount_mutex_t with_mutex = SEQCNT_MUTEX_ZERO(with_mutex, &mutex);
static seqcount_spinlock_t with_spinlock = SEQCNT_SPINLOCK_ZERO(with_spinlock, &spinlock);
static seqcount_rwlock_t with_rwlock = SEQCNT_RWLOCK_ZERO(with_rwlock, &rwlock);
static seqcount_latch_t latch = SEQCNT_LATCH_ZERO(latch);
static DEFINE_SEQLOCK(lock);

/* The macros of seqcount.h find the overloads for each type. */
template <typename S>
static bool counts(S &s)
{
	const S *reader = &s;
	auto before = read_seqcount_begin(reader);
	auto start = before;

	write_seqcount_begin(&s);
	if (raw_seqcount_try_begin(reader, start) || !read_seqcount_retry(reader, before))
		return false;
	if ((raw_read_seqcount(reader) & 1) == 0 || raw_seqcount_begin(reader) != before)
		return false;
	write_seqcount_end(&s);
	write_seqcount_invalidate(&s);
	raw_write_seqcount_barrier(&s);
	raw_write_seqcount_begin(&s);
	if (!write_seqcount_recover(&s))
		return false;
	raw_write_seqcount_end(&s);
	return read_seqcount_begin(reader) == before + 8 && __read_seqcount_retry(reader, before);
}

static bool latches()
{
	unsigned int seq = read_seqcount_latch(&latch);

	write_seqcount_latch_begin(&latch);
	bool moved = read_seqcount_latch_retry(&latch, seq);
	write_seqcount_latch(&latch);
	write_seqcount_latch_end(&latch);
	return moved && read_seqcount_latch(&latch) == seq + 2;
}

static bool free_again()
{
	return pthread_mutex_trylock(&lock.lock_) == 0 && pthread_mutex_unlock(&lock.lock_) == 0;
}

/* An exception leaves the pass that holds the lock. */
static bool unwinds()
{
	int passes = 0;

	try {
		scoped_seqlock_read (&lock, ss_lock) {
			if (++passes == 2)
				throw passes;
			write_seqlock(&lock);
			write_sequnlock(&lock);
		}
	} catch (int thrown) {
		return thrown == 2 && free_again();
	}
	return false;
}

enum class colour : char { red, green };

static bool gets_and_sets()
{
	struct {
		double mean;
		colour c;
		const char *text;
	} f = {0, colour::red, nullptr};

	seqcount_set(f.mean, 2);
	seqcount_set(f.c, colour::green);
	seqcount_set(f.text, "text");
	const auto &shared = f;
	return seqcount_get(shared.mean) > 1 && seqcount_get(shared.c) == colour::green &&
	       *seqcount_get(shared.text) == 't';
}

int main()
{
	place p = {SEQCNT_ZERO(p.seq), {1, 2}};
	unsigned int start;

	seqcount_init(&p.seq);
	if (!raw_seqcount_try_begin(&zero, start) || read_seqcount_retry(&zero, start))
		return 1;
	if (!reads_what_was_written(p))
		return 2;
	if (!copies_through_void(p))
		return 3;
	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	if (!counts(zero) || !counts(wide) || !counts(with_mutex))
		return 4;
	if (!counts(with_spinlock) || !counts(with_rwlock) || !latches())
		return 5;
	if (!unwinds())
		return 6;
	return gets_and_sets() ? 0 : 7;
}
