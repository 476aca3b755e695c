/* SPDX-License-Identifier: MIT */
/*
 * The PICs; pic.h says how much of them there is.
 */
#include "pic.h"

static enum delivery set_pin(struct pic *pic, unsigned int chip, unsigned int pin, bool level)
{
	uint8_t bit = (uint8_t)(1u << pin);
	bool edge = level && !(pic->high[chip] & bit), latched = pic->irr[chip] & bit;

	if (level)
		pic->high[chip] |= bit;
	else
		pic->high[chip] &= (uint8_t)~bit;
	if (edge)
		pic->irr[chip] |= bit;
	return edge && latched ? DELIVERY_HELD : DELIVERY_LINE;
}

enum delivery pic_set_line(
	struct pic *pic, unsigned int chip, unsigned int pin, unsigned int source, bool level)
{
	uint8_t *sources = &pic->sources[chip][pin], bit = (uint8_t)(1u << source);
	enum delivery delivery;

	*sources = level ? *sources | bit : *sources & (uint8_t)~bit;
	delivery = set_pin(pic, chip, pin, *sources);
	if (pic->irr[1]) {
		set_pin(pic, 0, PIC_CASCADE, true);
		set_pin(pic, 0, PIC_CASCADE, false);
	}
	return delivery;
}
