/* SPDX-License-Identifier: MIT */
/*
 * <srcu/srcu.h> for C++17: a domain whose life is an object's, sections that end
 * with their scope, callbacks of any callable type.  Nothing but inline functions
 * around the C interface, which stays usable beside it, on the same domains.
 *
 * What calls the library is always inline: the call sites in reports are the user's.
 * Errors of the C functions are thrown as std::system_error, except from
 * destructors, and from what returns nothing in C either.
 */
#ifndef SRCU_SRCU_HPP
#define SRCU_SRCU_HPP

#if __cplusplus < 201703L
#error "<srcu/srcu.hpp> needs C++17"
#endif

#include <srcu/srcu.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace srcu
{

namespace detail
{

inline void check(int error, const char *what)
{
	if (error)
		throw std::system_error(-error, std::generic_category(), what);
}

/* A callable on its way through call_srcu(). */
template <typename F>
struct callback : srcu_head {
	template <typename G>
	explicit callback(G &&callable) : srcu_head(), function(std::forward<G>(callable))
	{
	}

	static void invoke(srcu_head *head) noexcept
	{
		std::unique_ptr<callback> self(static_cast<callback *>(head));

		self->function();
	}

	F function;
};

} // namespace detail

/**
 * class options - what a domain is to be like
 *
 * srcu::options().name("routes").readers(SRCU_READERS_FENCED): struct srcu_options
 * for a language without designated initialisers.
 */
class options
{
      public:
	options &name(const char *name) noexcept
	{
		options_.name = name;
		return *this;
	}

	options &readers(srcu_reader_mode mode) noexcept
	{
		options_.readers = mode;
		return *this;
	}

	options &updates(srcu_update_side side) noexcept
	{
		options_.updates = side;
		return *this;
	}

	options &callbacks(srcu_callback_mode mode) noexcept
	{
		options_.callbacks = mode;
		return *this;
	}

	options &debug(bool on = true) noexcept
	{
		options_.debug = on;
		return *this;
	}

	const srcu_options *get() const noexcept
	{
		return &options_;
	}

      private:
	srcu_options options_ = {};
};

/**
 * class cookie - a point in a domain's time that can be polled for
 *
 * A default one is done.  Equal cookies of a domain are done at the same time.
 */
class cookie
{
      public:
	cookie() noexcept = default;

	friend bool operator==(cookie a, cookie b) noexcept
	{
		return same_state_synchronize_srcu(a.state_, b.state_);
	}

	friend bool operator!=(cookie a, cookie b) noexcept
	{
		return !(a == b);
	}

      private:
	friend class domain;
	explicit cookie(std::uint64_t state) noexcept : state_(state)
	{
	}

	std::uint64_t state_ = get_completed_synchronize_srcu();
};

/**
 * class domain - a struct srcu_struct with a C++ object's life
 *
 * Neither copied nor moved: readers know it by its address.  The struct srcu_struct
 * lies on the heap, so that it can outlive the object: see the destructor.
 */
class domain
{
      public:
	/* Throws std::system_error, or std::bad_alloc. */
	explicit domain(const options &wanted = options()) : ssp_(std::make_unique<srcu_struct>())
	{
		detail::check(init_srcu_struct_with(ssp_.get(), wanted.get()), "srcu::domain");
	}

	/*
	 * Waits until the callbacks have returned, and so for the readers that they
	 * wait for.  When a reader is inside all the same, or the domain dies in a
	 * callback of its own, cleanup_srcu_struct() reports it to the warn handler, and
	 * the memory is left to the reader: it leaks.
	 */
	SRCU_ALWAYS_INLINE_ ~domain()
	{
		::srcu_barrier(ssp_.get());
		if (cleanup_srcu_struct(ssp_.get()))
			static_cast<void>(ssp_.release());
	}

	domain(const domain &) = delete;
	domain &operator=(const domain &) = delete;

	/* For the C interface. */
	srcu_struct *get() const noexcept
	{
		return ssp_.get();
	}

	SRCU_ALWAYS_INLINE_ void synchronize() noexcept
	{
		synchronize_srcu(ssp_.get());
	}

	SRCU_ALWAYS_INLINE_ void synchronize_expedited() noexcept
	{
		synchronize_srcu_expedited(ssp_.get());
	}

	/* False when no grace period passed within @limit, which may be as long as it likes. */
	template <typename Rep, typename Period>
	SRCU_ALWAYS_INLINE_ bool synchronize_for(std::chrono::duration<Rep, Period> limit)
	{
		int error = synchronize_srcu_timeout(ssp_.get(), nanoseconds(limit));

		if (error && error != -ETIMEDOUT)
			detail::check(error, "srcu::domain::synchronize_for");
		return !error;
	}

	/* Expedite the grace period under way. */
	SRCU_ALWAYS_INLINE_ void expedite() noexcept
	{
		srcu_expedite_current(ssp_.get());
	}

	/*
	 * Call @callable after a grace period.  It is copied or moved to memory of its
	 * own, and destroyed right after the call, before barrier() returns.  An
	 * exception that leaves it ends the program by std::terminate(): nobody is there
	 * to catch it.  Throws std::bad_alloc, or what the callable's constructor does;
	 * then nothing was queued.  Not for signal handlers: it allocates.
	 */
	template <typename F>
	SRCU_ALWAYS_INLINE_ void call(F &&callable)
	{
		using callback = detail::callback<std::decay_t<F>>;
		auto queued = std::make_unique<callback>(std::forward<F>(callable));

		detail::check(call_srcu(ssp_.get(), queued.get(), callback::invoke),
			"srcu::domain::call");
		static_cast<void>(queued.release());
	}

	/* call_srcu() itself: @head is part of the caller's object, nothing is allocated. */
	SRCU_ALWAYS_INLINE_ void call(srcu_head &head, void (*function)(srcu_head *))
	{
		detail::check(call_srcu(ssp_.get(), &head, function), "srcu::domain::call");
	}

	/* Throws std::system_error with EDEADLK in a callback of this domain. */
	SRCU_ALWAYS_INLINE_ void barrier()
	{
		detail::check(::srcu_barrier(ssp_.get()), "srcu::domain::barrier");
	}

	/* For domains of SRCU_CALLBACKS_CALLER: how many were invoked. */
	SRCU_ALWAYS_INLINE_ std::uint64_t run_callbacks(std::uint64_t max = UINT64_MAX)
	{
		return srcu_run_callbacks(ssp_.get(), max);
	}

	SRCU_ALWAYS_INLINE_ cookie get_state() noexcept
	{
		return cookie(get_state_synchronize_srcu(ssp_.get()));
	}

	SRCU_ALWAYS_INLINE_ cookie start_poll() noexcept
	{
		return cookie(start_poll_synchronize_srcu(ssp_.get()));
	}

	/* Has a grace period passed since the cookie? */
	SRCU_ALWAYS_INLINE_ bool poll(cookie since) noexcept
	{
		return poll_state_synchronize_srcu(ssp_.get(), since.state_);
	}

	/* Wait for one unless it has. */
	SRCU_ALWAYS_INLINE_ void synchronize(cookie since) noexcept
	{
		cond_synchronize_srcu(ssp_.get(), since.state_);
	}

	srcu_stats stats() const
	{
		srcu_stats stats;

		detail::check(srcu_get_stats(ssp_.get(), &stats), "srcu::domain::stats");
		return stats;
	}

      private:
	template <typename Rep, typename Period>
	static std::uint64_t nanoseconds(std::chrono::duration<Rep, Period> limit)
	{
		using wide = std::chrono::duration<long double, std::nano>;
		long double count = wide(limit).count();

		if (!(count > 0))
			return 0;
		if (count >= 0x1p64L)
			return UINT64_MAX;
		return static_cast<std::uint64_t>(count);
	}

	std::unique_ptr<srcu_struct> ssp_;
};

/**
 * class guard - a read-side critical section as long as the object
 *
 * A section of srcu_read_lock_fast(), the faster of the two kinds.  It moves, also to
 * another thread, which then ends it.  unlock() ends it early; an object that was
 * unlocked or moved from has none.
 */
class guard
{
      public:
	SRCU_ALWAYS_INLINE_ explicit guard(srcu_struct &ssp) noexcept
	    : ssp_(&ssp), scp_(srcu_read_lock_fast(&ssp))
	{
	}

	SRCU_ALWAYS_INLINE_ explicit guard(const domain &in) noexcept : guard(*in.get())
	{
	}

	guard(guard &&other) noexcept : ssp_(std::exchange(other.ssp_, nullptr)), scp_(other.scp_)
	{
	}

	SRCU_ALWAYS_INLINE_ guard &operator=(guard &&other) noexcept
	{
		guard old(std::move(*this));

		ssp_ = std::exchange(other.ssp_, nullptr);
		scp_ = other.scp_;
		return *this;
	}

	SRCU_ALWAYS_INLINE_ ~guard()
	{
		unlock();
	}

	SRCU_ALWAYS_INLINE_ void unlock() noexcept
	{
		if (ssp_)
			srcu_read_unlock_fast(std::exchange(ssp_, nullptr), scp_);
	}

	explicit operator bool() const noexcept
	{
		return ssp_;
	}

      private:
	srcu_struct *ssp_;
	srcu_ctr *scp_;
};

/**
 * class pointer - a pointer that readers of a domain follow
 *
 * What it points to is the updater's to free, after a grace period.
 */
template <typename T>
class pointer
{
      public:
	constexpr pointer(T *p = nullptr) noexcept : p_(p)
	{
	}

	pointer(const pointer &) = delete;
	pointer &operator=(const pointer &) = delete;

	/* For as long as the guard's section: srcu_dereference(). */
	T *load(const guard &) const noexcept
	{
		return __atomic_load_n(&p_, __ATOMIC_CONSUME);
	}

	/* Publish: srcu_assign_pointer(). */
	void store(T *p) noexcept
	{
		srcu_assign_pointer(p_, p);
	}

	/* Publish another, and get the old one to free it after a grace period. */
	T *exchange(T *p) noexcept
	{
		return __atomic_exchange_n(&p_, p, __ATOMIC_ACQ_REL);
	}

      private:
	T *p_;
};

} // namespace srcu

#endif /* SRCU_SRCU_HPP */
