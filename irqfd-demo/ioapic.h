/* SPDX-License-Identifier: MIT */
/*
 * The IOAPIC: pins that become vectors.  An edge-triggered pin sends its vector
 * at each rise; a level-triggered one once, and again only after an EOI, as long
 * as its line is up.
 */
#ifndef IOAPIC_H
#define IOAPIC_H

#include "lapic.h"

#define NR_PINS 24

struct ioapic_pin {
	uint32_t vector, dest;
	bool level, masked;
	bool remote_irr;  /* level: sent, and no EOI yet */
	uint32_t sources; /* which hold the line up, a bit each */
};

/* Under the machine's chips_lock. */
struct ioapic {
	struct ioapic_pin pin[NR_PINS];
	uint32_t irr;       /* lines that are up */
	uint32_t delivered; /* edge-triggered ones among them that were sent */
};

void ioapic_init(struct ioapic *ioapic);

/* One source raises or lowers a pin.  Under chips_lock. */
enum delivery ioapic_set_line(struct vm *vm, unsigned int pin, unsigned int source, bool level);

/*
 * Write a pin's redirection: vector, dest, level and masked of @to, with no EOI
 * due.  As when KVM is given the chip's whole state: all lines that are up and not
 * sent are looked at anew.
 */
void ioapic_redirect(struct vm *vm, unsigned int pin, const struct ioapic_pin *to);

/* A CPU has ended its service of @vector, which was triggered so.  Any context. */
void ioapic_eoi(struct vm *vm, unsigned int vector, bool level);

/* A pin as a program sees it: is there something left to send, and is an EOI due? */
void ioapic_look(struct vm *vm, unsigned int pin, bool *irr, bool *remote_irr);

#endif /* IOAPIC_H */
