/* SPDX-License-Identifier: MIT */
/*
 * The two PICs, cascaded, edge-triggered.  No CPU acknowledges their interrupts,
 * so a request stays latched.  The machine's chips_lock is held in all calls.
 */
#ifndef PIC_H
#define PIC_H

#include "lapic.h"

#define NR_PICS     2
#define NR_PIC_PINS 8 /* of one of them */
#define PIC_CASCADE 2 /* the first one's pin that the second one's output is on */

struct pic {
	uint8_t irr[NR_PICS];                  /* latched requests */
	uint8_t high[NR_PICS];                 /* pins as they were at the last look for an edge */
	uint8_t sources[NR_PICS][NR_PIC_PINS]; /* which hold a pin up, a bit each */
};

/* One source raises or lowers a pin of one of the two. */
enum delivery pic_set_line(
	struct pic *pic, unsigned int chip, unsigned int pin, unsigned int source, bool level);

#endif /* PIC_H */
