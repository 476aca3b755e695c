/* SPDX-License-Identifier: MIT */
/* <srcu/srcu.hpp>: domains, guards, callbacks and cookies as objects. */
#include <srcu/srcu.hpp>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>

#include "cxx-unit.h"

static_assert(!std::is_copy_constructible_v<srcu::domain>);
static_assert(!std::is_move_constructible_v<srcu::domain>);
static_assert(!std::is_copy_constructible_v<srcu::guard>);
static_assert(std::is_nothrow_move_constructible_v<srcu::guard>);
static_assert(std::is_nothrow_move_assignable_v<srcu::guard>);
static_assert(!std::is_convertible_v<srcu_struct &, srcu::guard>);

#define REQUIRE(condition)                                                                      \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			std::cerr << __FILE__ << ":" << __LINE__ << ": " << #condition << "\n"; \
			std::exit(1);                                                           \
		}                                                                               \
	} while (0)

static std::atomic<int> reports;
static std::string last_report;

static void collect(const srcu_struct *, const char *message)
{
	last_report = message;
	reports++;
}

template <typename F>
static int error_of(F &&function)
{
	try {
		function();
	} catch (const std::system_error &error) {
		return error.code().value();
	}
	return 0;
}

static srcu::options by_caller()
{
	return srcu::options().callbacks(SRCU_CALLBACKS_CALLER);
}

static void guards_end_their_sections()
{
	srcu::domain domain;

	{
		srcu::guard outer{domain}, inner{*domain.get()};

		REQUIRE(domain.stats().readers == 2);
		outer.unlock();
		REQUIRE(!outer && inner && domain.stats().readers == 1);
		outer.unlock();
		REQUIRE(domain.stats().readers == 1);
	}
	REQUIRE(domain.stats().readers == 0);
	try {
		srcu::guard section{domain};

		throw std::runtime_error("through a guard");
	} catch (const std::runtime_error &) {
		REQUIRE(domain.stats().readers == 0);
	}
	try {
		srcu_guard(domain.get());
		REQUIRE(domain.stats().readers == 1);
		throw std::runtime_error("through srcu_guard()");
	} catch (const std::runtime_error &) {
		REQUIRE(domain.stats().readers == 0);
	}
}

static void a_moved_guard_has_the_section()
{
	srcu::domain one, other;
	srcu::guard a{one}, b{other};

	std::thread([&one, section = srcu::guard{one}] {
		REQUIRE(one.stats().readers == 2);
	}).join();
	REQUIRE(one.stats().readers == 1);
	a = std::move(b);
	REQUIRE(one.stats().readers == 0 && other.stats().readers == 1);
	REQUIRE(a && !b);
	srcu::guard &alias = a;
	a = std::move(alias);
	a.unlock();
	REQUIRE(other.stats().readers == 0);
}

static void waiting_has_limits()
{
	using namespace std::chrono_literals;
	srcu::domain domain;

	{
		srcu::guard section{domain};

		REQUIRE(!domain.synchronize_for(0s));
		REQUIRE(!domain.synchronize_for(-1h));
		REQUIRE(!domain.synchronize_for(1us));
		REQUIRE(!domain.synchronize_for(
			std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())));
	}
	REQUIRE(domain.synchronize_for(1h));
	REQUIRE(domain.synchronize_for(std::chrono::hours::max()));
	REQUIRE(domain.synchronize_for(std::chrono::duration<double>(1e300)));
	domain.synchronize();
	domain.synchronize_expedited();
	domain.expedite();
	REQUIRE(domain.stats().grace_periods >= 5);
}

static void cookies_are_done_after_a_grace_period()
{
	srcu::domain domain;
	srcu::cookie done, early = domain.get_state();

	REQUIRE(domain.poll(done) && !domain.poll(early));
	REQUIRE(early == domain.get_state() && early != done);
	{
		srcu::guard section{domain};

		REQUIRE(!domain.poll(domain.start_poll()));
	}
	domain.synchronize(early);
	REQUIRE(domain.poll(early));
}

static void callbacks_are_called_and_destroyed()
{
	srcu::domain domain{by_caller().name("calls")};
	auto counted = std::make_shared<int>(0);
	auto once = std::make_unique<int>(5);
	struct intrusive : srcu_head {
		bool called = false;
	} object;

	domain.call([counted] { ++*counted; });
	domain.call([counted, once = std::move(once)] { *counted += *once; });
	domain.call(object, [](srcu_head *head) { static_cast<intrusive *>(head)->called = true; });
	reports = 0;
	REQUIRE(error_of([&] { domain.call(object, [](srcu_head *) {}); }) == EBUSY);
	REQUIRE(reports == 1);
	REQUIRE(counted.use_count() == 3 && *counted == 0);
	domain.barrier();
	REQUIRE(counted.use_count() == 1 && *counted == 6 && object.called);
	domain.call([&] { REQUIRE(error_of([&] { domain.barrier(); }) == EDEADLK); });
	while (!domain.run_callbacks())
		;
}

static void what_cannot_be_queued_is_destroyed()
{
	struct refuses {
		refuses() = default;
		refuses(const refuses &)
		{
			throw std::runtime_error("no copy");
		}
		void operator()() const
		{
		}
	} callable;
	auto counted = std::make_shared<int>(0);
	srcu::domain domain;

	try {
		domain.call(callable);
		REQUIRE(false);
	} catch (const std::runtime_error &) {
		REQUIRE(domain.stats().queued == 0);
	}
	domain.call([counted] { ++*counted; });
	domain.barrier();
	REQUIRE(*counted == 1);
}

static void the_destructor_waits_for_callbacks()
{
	auto counted = std::make_shared<std::atomic<int>>(0);

	reports = 0;
	{
		srcu::domain threads, caller{by_caller()};

		for (int i = 0; i < 100; i++)
			threads.call([counted] { ++*counted; });
		caller.call([counted] { *counted += 1000; });
		caller.barrier();
	}
	REQUIRE(*counted == 1100 && reports == 0);
}

/* The section goes on in memory that is still a domain's; a sanitizer would tell. */
static void the_destructor_leaves_a_reader_its_memory()
{
	auto domain = std::make_unique<srcu::domain>(srcu::options().name("left"));
	static srcu_struct *leaked; /* where the leak checker finds it */
	srcu::guard section{*domain};

	leaked = domain->get();
	reports = 0;
	domain.reset();
	REQUIRE(reports == 1 && last_report.find("'left'") != std::string::npos);
	REQUIRE(last_report.find("1 reader") != std::string::npos);
	section.unlock();
	REQUIRE(cleanup_srcu_struct(leaked) == 0);
	delete leaked;
}

static void bad_options_throw()
{
	auto mode = static_cast<srcu_reader_mode>(SRCU_READERS_FENCED + 1);

	REQUIRE(error_of([&] { srcu::domain domain{srcu::options().readers(mode)}; }) == EINVAL);
	srcu::domain fenced{
		srcu::options().readers(SRCU_READERS_FENCED).updates(SRCU_UPDATES_CLASSIC)};
	REQUIRE(fenced.stats().barrier == SRCU_BARRIER_FENCES);
}

static void readers_follow_a_pointer()
{
	struct config {
		int a, b;
	};
	srcu::domain domain;
	srcu::pointer<const config> current{new config{1, 1}};
	std::atomic<bool> stop{false};
	std::atomic<unsigned long> looks{0};
	auto reader = [&] {
		while (!stop) {
			srcu::guard section{domain};
			const config *seen = current.load(section);

			REQUIRE(seen->a == seen->b && seen->a > 0);
			looks++;
		}
	};
	std::thread one(reader), two(reader);

	for (int i = 2; i < 200 || looks < 1000; i++) {
		const config *old = current.exchange(new config{i, i});

		domain.synchronize();
		const_cast<config *>(old)->a = -1;
		delete old;
	}
	stop = true;
	one.join();
	two.join();
	delete current.exchange(nullptr);
	current.store(nullptr);
}

/*
 * Static storage: made before main() and ended after it, in the opposite order,
 * also when another static object's destructor is the last to use a domain.
 */
static srcu::domain static_domain{srcu::options().name("static")};

static struct last_user {
	last_user() : section(static_domain)
	{
	}

	~last_user()
	{
		auto called = std::make_shared<bool>(false);

		section.unlock();
		static_domain.call([called] { *called = true; });
		static_domain.barrier();
		static_domain.synchronize();
		if (!*called || reports)
			std::_Exit(1);
	}

	srcu::guard section;
} last_user;

int test_domains()
{
	srcu_set_warn_handler(collect);
	guards_end_their_sections();
	a_moved_guard_has_the_section();
	waiting_has_limits();
	cookies_are_done_after_a_grace_period();
	callbacks_are_called_and_destroyed();
	what_cannot_be_queued_is_destroyed();
	the_destructor_waits_for_callbacks();
	the_destructor_leaves_a_reader_its_memory();
	bad_options_throw();
	readers_follow_a_pointer();
	reports = 0;
	return 0;
}
