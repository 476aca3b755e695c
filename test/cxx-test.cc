/* SPDX-License-Identifier: MIT */
/* C++ units share inline functions that read: they link, and count alike. */
#include "cxx-unit.h"

#include <cstdint>

DEFINE_SRCU(shared_domain);

int main()
{
	const int value = 7, *where = &value;
	std::uint64_t *counter = alloc_percpu(std::uint64_t);
	srcu_struct local;
	int sum = 0;

	for (int i = 0; i < 1000; i++) {
		sum += read_by_guards(&where) + read_in_other_unit(&where);
		if (counter)
			this_cpu_inc(*counter);
	}
	synchronize_srcu(&shared_domain);
	if (sum != 21000 || (counter && percpu_sum(counter) != 1000))
		return 1;
	free_percpu(counter);
	if (init_srcu_struct(&local) || cleanup_srcu_struct(&local))
		return 1;
	if (cleanup_srcu_struct(&shared_domain))
		return 1;
	return test_domains() || test_call_sites();
}
