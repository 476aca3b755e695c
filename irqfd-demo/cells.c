/* SPDX-License-Identifier: MIT */
/*
 * Figures as text; cells.h says what for.
 */
#include "cells.h"

#include "demo.h"

#include <stdio.h>

struct cell time_cell(uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double value = (double)ns;
	struct cell cell;
	size_t unit = 0;

	if (ns == 0)
		return (struct cell){"-"};
	while (value >= 999.5 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(cell.text, sizeof(cell.text), "%.*f %s", unit && value < 99.95 ? 1 : 0, value,
		units[unit]);
	return cell;
}

struct cell rate_cell(uint64_t events, uint64_t ns)
{
	double rate = ns ? (double)events * 1e9 / (double)ns : 0;
	struct cell cell;

	if (rate >= 999950)
		snprintf(cell.text, sizeof(cell.text), "%.2f M/s", rate / 1e6);
	else if (rate >= 999.5)
		snprintf(cell.text, sizeof(cell.text), "%.1f k/s", rate / 1e3);
	else
		snprintf(cell.text, sizeof(cell.text), "%.0f /s", rate);
	return cell;
}
