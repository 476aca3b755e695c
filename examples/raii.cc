/* SPDX-License-Identifier: MIT */
/*
 * C++: a domain that is a member, sections that end with their scope, by an exception
 * too, and callbacks that are lambdas.
 */
#include <atomic>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <srcu/srcu.hpp>

static std::atomic<int> alive;

struct route {
	explicit route(int where) : to(where), name("to " + std::to_string(where))
	{
		++alive;
	}

	~route()
	{
		--alive;
	}

	int to;
	std::string name;
};

class router
{
      public:
	router() : domain_(srcu::options().name("routes")), current_(new route(0))
	{
	}

	/* The domain's destructor waits for the callbacks. */
	~router()
	{
		delete current_.exchange(nullptr);
	}

	router(const router &) = delete;
	router &operator=(const router &) = delete;

	/* Odd destinations are refused, by an exception out of the section. */
	int look_up() const
	{
		srcu::guard guard(domain_);
		const route *r = current_.load(guard);

		if (r->name != "to " + std::to_string(r->to))
			std::terminate();
		if (r->to % 2)
			throw std::range_error(r->name);
		return r->to;
	}

	void replace(int to)
	{
		route *old = current_.exchange(new route(to));

		domain_.call([old] { delete old; });
	}

	std::uint64_t sections() const
	{
		return domain_.stats().readers;
	}

      private:
	srcu::domain domain_;
	srcu::pointer<route> current_;
};

int main()
{
	std::atomic<unsigned long> found = 0, refused = 0;
	std::atomic<bool> stop = false;
	std::vector<std::thread> threads;
	bool left_open;

	{
		router routes;

		for (int i = 0; i < 2; i++)
			threads.emplace_back([&] {
				do {
					try {
						routes.look_up();
						++found;
					} catch (const std::range_error &) {
						++refused;
					}
				} while (!stop);
			});
		/* Until both ways out were taken, often enough to be in each other's way. */
		for (int to = 1; to < 10000 || !found || !refused; to++)
			routes.replace(to);
		stop = true;
		for (std::thread &thread : threads)
			thread.join();
		left_open = routes.sections();
	}
	std::cout << "raii: " << found << " found, " << refused << " refused, " << alive
		  << " routes left\n";
	return alive || left_open;
}
