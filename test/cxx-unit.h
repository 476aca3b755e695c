/* SPDX-License-Identifier: MIT */
/* Inline functions with restartable sequences in them, for several C++ units. */
#ifndef TEST_CXX_UNIT_H
#define TEST_CXX_UNIT_H

#include <srcu/srcu.hpp>

extern srcu_struct shared_domain;

inline int read_once_inline(const int *const *where)
{
	srcu_ctr *ctr = srcu_read_lock_fast(&shared_domain);
	int idx = srcu_read_lock(&shared_domain);
	int value = *srcu_dereference(*where, &shared_domain);

	srcu_read_unlock(&shared_domain, idx);
	srcu_read_unlock_fast(&shared_domain, ctr);
	return value;
}

/* The same by guards. */
inline int read_by_guards(const int *const *where)
{
	srcu::guard guard{shared_domain};

	srcu_guard(&shared_domain);
	return *srcu_dereference(*where, &shared_domain);
}

int read_in_other_unit(const int *const *where);
int test_domains();
int test_call_sites();

#endif
