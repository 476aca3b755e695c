/* SPDX-License-Identifier: MIT */
#include "cxx-unit.h"

int read_in_other_unit(const int *const *where)
{
	return read_once_inline(where) + read_by_guards(where);
}
