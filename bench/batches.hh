/* SPDX-License-Identifier: MIT */
/*
 * How the loops of C that run a batch are timed, and the registration of the
 * thread that runs them.  Included by the files that register benchmarks.
 */
#ifndef BENCH_BATCHES_HH
#define BENCH_BATCHES_HH

#include <benchmark/benchmark.h>

#include "bench/peer.h"

/* Keeps the calling thread registered with a peer. */
class Registration
{
      public:
	explicit Registration(const peer *p) : peer_(p)
	{
		if (peer_->enter)
			peer_->enter();
	}
	~Registration()
	{
		if (peer_->leave)
			peer_->leave();
	}
	Registration(const Registration &) = delete;
	Registration &operator=(const Registration &) = delete;

      private:
	const peer *peer_;
};

inline void time_batches(benchmark::State &state, void (*run_batch)(long n))
{
	constexpr long batch = 4096;

	while (state.KeepRunningBatch(batch))
		run_batch(batch);
}

#endif /* BENCH_BATCHES_HH */
