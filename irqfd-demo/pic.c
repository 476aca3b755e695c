/* SPDX-License-Identifier: MIT */
/*
 * The PICs; pic.h says how much of them there is.
 */
#include "pic.h"

static void set_pin(struct pic *pic, unsigned int chip, unsigned int pin, bool level)
{
	uint8_t bit = (uint8_t)(1u << pin);

	if (!level) {
		pic->high[chip] &= (uint8_t)~bit;
		return;
	}
	if (!(pic->high[chip] & bit))
		pic->irr[chip] |= bit;
	pic->high[chip] |= bit;
}

void pic_set_line(
	struct pic *pic, unsigned int chip, unsigned int pin, unsigned int source, bool level)
{
	uint8_t *sources = &pic->sources[chip][pin], bit = (uint8_t)(1u << source);

	*sources = level ? *sources | bit : *sources & (uint8_t)~bit;
	set_pin(pic, chip, pin, *sources);
	if (pic->irr[1]) {
		set_pin(pic, 0, PIC_CASCADE, true);
		set_pin(pic, 0, PIC_CASCADE, false);
	}
}
