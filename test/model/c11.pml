/* SPDX-License-Identifier: MIT */
/*
 * C11's memory, for models that are included after THREADS, LOCATIONS and STORES,
 * the most stores to one location, are defined: views, as operational accounts of
 * release and acquire have them.  Stronger than C11 in one point: a load never
 * sees a store that its own thread has not come to (no load buffering).
 *
 * A location keeps all that was ever stored to it, and each store carries a view:
 * how far in each location's history those must be who have acquired it.  A thread
 * has three views: of what it must see; of what it must see after an acquire
 * fence; of what its relaxed stores carry, since the last release fence.  A load
 * takes any store that is not older than what the thread must see.  Each location
 * has one writer at a time.
 */
#define AT(location, store) ((location) * (STORES + 1) + (store))
#define CELLS               (LOCATIONS * (STORES + 1))

byte value[CELLS];               /* of each store, the first is of 0 */
byte carried[CELLS * LOCATIONS]; /* view of each store */
byte last[LOCATIONS];            /* the latest store to each */
byte sees[THREADS * LOCATIONS];
byte may_see[THREADS * LOCATIONS];
byte carries[THREADS * LOCATIONS];
byte fenced[LOCATIONS]; /* the view that sequentially consistent fences share */
byte mutex_view[LOCATIONS];

#define SEES(thread, location)    sees[(thread) * LOCATIONS + (location)]
#define MAY_SEE(thread, location) may_see[(thread) * LOCATIONS + (location)]
#define CARRIES(thread, location) carries[(thread) * LOCATIONS + (location)]
#define CARRIED(location, store, other) carried[AT(location, store) * LOCATIONS + (other)]
#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* Each process declares these for itself. */
#define C11_LOCALS byte k_, at_

inline store(thread, location, what, release)
{
	d_step {
		last[location]++;
		assert(last[location] <= STORES);
		value[AT(location, last[location])] = what;
		SEES(thread, location) = last[location];
		MAY_SEE(thread, location) = last[location];
		for (k_ : 0 .. LOCATIONS - 1) {
			CARRIED(location, last[location], k_) =
				(release -> SEES(thread, k_) : CARRIES(thread, k_))
		}
		CARRIED(location, last[location], location) = last[location];
		k_ = 0
	}
}

/* The counter's only writer adds one to it: to the store before the one it makes. */
inline add_one(thread, location, release)
{
	store(thread, location, value[AT(location, last[location] - 1)] + 1, release)
}

inline load(thread, location, acquire, into)
{
	atomic {
		at_ = SEES(thread, location);
		do
		:: at_ < last[location] -> at_++
		:: break
		od;
		d_step {
			into = value[AT(location, at_)];
			SEES(thread, location) = at_;
			for (k_ : 0 .. LOCATIONS - 1) {
				MAY_SEE(thread, k_) =
					MAX(MAY_SEE(thread, k_), CARRIED(location, at_, k_));
				SEES(thread, k_) = (acquire ->
					MAX(SEES(thread, k_), CARRIED(location, at_, k_)) :
					SEES(thread, k_))
			}
			k_ = 0;
			at_ = 0
		}
	}
}

inline acquire_fence(thread)
{
	d_step {
		for (k_ : 0 .. LOCATIONS - 1) {
			SEES(thread, k_) = MAY_SEE(thread, k_)
		}
		k_ = 0
	}
}

inline release_fence(thread)
{
	d_step {
		for (k_ : 0 .. LOCATIONS - 1) {
			CARRIES(thread, k_) = SEES(thread, k_)
		}
		k_ = 0
	}
}

inline full_fence(thread)
{
	d_step {
		for (k_ : 0 .. LOCATIONS - 1) {
			SEES(thread, k_) = MAX(MAY_SEE(thread, k_), fenced[k_]);
			fenced[k_] = SEES(thread, k_);
			MAY_SEE(thread, k_) = SEES(thread, k_);
			CARRIES(thread, k_) = SEES(thread, k_)
		}
		k_ = 0
	}
}

/* What a mutex orders; it is taken and let go in the same step. */
inline enter(thread)
{
	for (k_ : 0 .. LOCATIONS - 1) {
		SEES(thread, k_) = MAX(SEES(thread, k_), mutex_view[k_]);
		MAY_SEE(thread, k_) = MAX(MAY_SEE(thread, k_), mutex_view[k_])
	}
	k_ = 0
}

inline leave(thread)
{
	for (k_ : 0 .. LOCATIONS - 1) {
		mutex_view[k_] = SEES(thread, k_)
	}
	k_ = 0
}
