/* SPDX-License-Identifier: MIT */
/*
 * The local APIC; lapic.h says what it is.  Lock-free: a bitmap of pending
 * vectors, and beside it how each was triggered.
 */
#include "lapic.h"

#include "cpu.h"
#include "vm.h"

static void set_trigger(struct lapic *lapic, unsigned int vector, bool level)
{
	uint64_t bit = (uint64_t)1 << (vector % 64), *word = &lapic->tmr[vector / 64];
	bool is_level = __atomic_load_n(word, __ATOMIC_RELAXED) & bit;

	if (level == is_level)
		return;
	if (level)
		__atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED);
}

enum delivery lapic_accept(struct lapic *lapic, unsigned int vector, bool level)
{
	if (!__atomic_load_n(&lapic->enabled, __ATOMIC_RELAXED))
		return DELIVERY_NONE;
	set_trigger(lapic, vector, level);
	/* G: who takes the vector (H) finds how it was triggered. */
	if (!bit_set(lapic->irr, vector))
		return DELIVERY_COALESCED;
	if (lapic->cpu)
		cpu_kick(lapic->cpu);
	return DELIVERY_PENDING;
}

void lapic_enable(struct lapic *lapic, bool enabled)
{
	__atomic_store_n(&lapic->enabled, enabled, __ATOMIC_RELAXED);
}

bool lapic_pending(const struct lapic *lapic, unsigned int vector)
{
	uint64_t word = __atomic_load_n(&lapic->irr[vector / 64], __ATOMIC_ACQUIRE);

	return word >> (vector % 64) & 1;
}

void lapic_clear(struct lapic *lapic)
{
	for (unsigned int i = 0; i < VECTOR_WORDS; i++) {
		__atomic_store_n(&lapic->irr[i], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&lapic->tmr[i], 0, __ATOMIC_RELAXED);
	}
}

void lapic_serve(
	struct lapic *lapic, void (*take)(struct cpu *cpu, unsigned int vector), struct cpu *cpu)
{
	for (unsigned int i = 0; i < VECTOR_WORDS; i++) {
		uint64_t bits = __atomic_exchange_n(&lapic->irr[i], 0, __ATOMIC_ACQUIRE); /* H */

		for (; bits; bits &= bits - 1) {
			unsigned int vector = i * 64 + (unsigned int)__builtin_ctzll(bits);

			take(cpu, vector);
			lapic_eoi(lapic, vector);
		}
	}
}

void lapic_eoi(struct lapic *lapic, unsigned int vector)
{
	uint64_t word = __atomic_load_n(&lapic->tmr[vector / 64], __ATOMIC_RELAXED);

	ioapic_eoi(lapic->vm, vector, word >> (vector % 64) & 1);
}
