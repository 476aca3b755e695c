/* SPDX-License-Identifier: MIT */
/*
 * Figures as text for tables.
 */
#ifndef CELLS_H
#define CELLS_H

#include <stdint.h>

struct cell {
	char text[24];
};

/* Three digits and a unit; a dash for 0, when nothing was measured. */
struct cell time_cell(uint64_t ns);

/* Events per second. */
struct cell rate_cell(uint64_t events, uint64_t ns);

#endif /* CELLS_H */
