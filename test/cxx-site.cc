/* SPDX-License-Identifier: MIT */
/*
 * The call sites in reports are those of the user's functions, not of the header's,
 * also where the compiler does not optimise.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#if defined(__clang__)
#pragma clang optimize off
#else
#pragma GCC optimize("O0")
#endif

#include "cxx-unit.h"

/* The linker tells where such functions begin and end. */
extern "C" const char __start_cxx_sites[] __attribute__((weak));
extern "C" const char __stop_cxx_sites[] __attribute__((weak));
#define HERE __attribute__((noinline, used, section("cxx_sites")))

namespace
{

int reports, elsewhere;

int take_base(dl_phdr_info *info, std::size_t, void *base)
{
	*static_cast<std::uintptr_t *>(base) = info->dlpi_addr;
	return 1; /* the program comes first */
}

/* Each place that a report names is in one of the functions below. */
void check_sites(const srcu_struct *, const char *message)
{
	std::uintptr_t base;

	reports++;
	dl_iterate_phdr(take_base, &base);
	for (const char *at = message; (at = std::strstr(at, " at ")); at++) {
		const char *plus = std::strchr(at, '+');
		std::uintptr_t site = plus ? base + std::strtoul(plus + 1, nullptr, 16) : 0;

		if (site >= reinterpret_cast<std::uintptr_t>(__start_cxx_sites) &&
			site < reinterpret_cast<std::uintptr_t>(__stop_cxx_sites))
			continue;
		std::fprintf(stderr, "not the user's call site: %s\n", message);
		elsewhere++;
	}
}

HERE void wait_inside_guard(srcu::domain &domain)
{
	srcu::guard guard(domain);

	domain.synchronize_for(std::chrono::nanoseconds(1));
}

HERE void wait_inside_scope(srcu::domain &domain)
{
	srcu_guard(domain.get());

	synchronize_srcu_timeout(domain.get(), 1);
}

/* The guard ends a section that was ended already. */
HERE void end_twice(srcu::domain &domain)
{
	srcu::guard guard(domain);
	srcu_ctr *same = srcu_read_lock_fast(domain.get());

	srcu_read_unlock_fast(domain.get(), same);
	srcu_read_unlock_fast(domain.get(), same);
}

HERE void end_twice_by_unlock(srcu::domain &domain)
{
	srcu::guard guard(domain);
	srcu_ctr *same = srcu_read_lock_fast(domain.get());

	srcu_read_unlock_fast(domain.get(), same);
	srcu_read_unlock_fast(domain.get(), same);
	guard.unlock();
}

HERE void end_twice_by_scope(srcu::domain &domain)
{
	srcu_guard(domain.get());
	srcu_ctr *same = srcu_read_lock_fast(domain.get());

	srcu_read_unlock_fast(domain.get(), same);
	srcu_read_unlock_fast(domain.get(), same);
}

/* The domain's destructor finds a reader. */
HERE void leave_reader()
{
	srcu::domain domain(srcu::options().name("left").debug());

	static_cast<void>(srcu_read_lock_fast(domain.get()));
}

} // namespace

int test_call_sites()
{
	srcu::domain domain(srcu::options().name("sites").debug());

	srcu_set_warn_handler(check_sites);
	wait_inside_guard(domain);
	wait_inside_scope(domain);
	end_twice(domain);
	end_twice_by_unlock(domain);
	end_twice_by_scope(domain);
	leave_reader();
	srcu_set_warn_handler(nullptr);
	return reports != 6 || elsewhere;
}
