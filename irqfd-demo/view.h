/* SPDX-License-Identifier: MIT */
/*
 * A run on a terminal: a picture of 80 columns and at most 24 rows that is drawn
 * over the one before.  No mode of the terminal is changed, so that there is none
 * to restore, however the run ends.
 */
#ifndef VIEW_H
#define VIEW_H

#include "lapic.h"
#include "progress.h"

#define VIEW_TREND   36 /* pictures that a trend goes back */
#define VIEW_CPUS    8  /* that have a row of their own */
#define VIEW_COLUMNS 56 /* for the vectors of a CPU */

struct view {
	const struct run_options *options;
	const struct lapic *lapics;
	unsigned int looks;
	uint8_t pending[VIEW_CPUS][VIEW_COLUMNS]; /* in how many looks a vector there was pending */
	uint64_t trend[NR_PATHS][VIEW_TREND];     /* p50, the latest last */
	unsigned int rows;                        /* of the picture on the terminal */
};

/* Is standard output a terminal on which the picture has room? */
bool view_possible(void);

void view_begin(struct view *view, const struct run_options *options, const struct lapic *lapics);

/* Look at the pending vectors.  A moment later they are others: look often. */
void view_look(struct view *view);

void view_draw(struct view *view, const struct moment *moment);

#endif /* VIEW_H */
