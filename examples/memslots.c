/* SPDX-License-Identifier: MIT */
/*
 * Kernel code moved to user space, in the shape of KVM's memory slots: virtual
 * CPUs translate guest frames by a table that is replaced as a whole, and keep
 * what they found in a cache of translations.
 *
 * A slot is deleted in two steps.  A table in which it is marked as invalid keeps new
 * translations from the cache; when no CPU uses the old table any more, the cache is
 * flushed; then comes the table without the slot, and, when again no CPU is
 * inside, the memory is freed.
 *
 * Of the port: the calls have the kernel's names and arguments; rcu_assign_pointer()
 * is srcu_assign_pointer(); srcu_read_lock() is no full barrier here, and this code
 * does not need one.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <srcu/srcu.h>

#define SLOTS       4
#define SLOT_FRAMES 2
#define FRAMES      (SLOTS * SLOT_FRAMES)
#define FRAME_SIZE  64
#define CPUS        2
#define DELETIONS   2000

struct memslot {
	char *memory; /* SLOT_FRAMES frames, NULL: none */
	bool invalid; /* being deleted */
};

struct memslots {
	struct memslot slots[SLOTS];
};

static struct vm {
	struct srcu_struct srcu;
	struct memslots *memslots;
	pthread_mutex_t slots_lock; /* who changes memslots */
	pthread_mutex_t mmu_lock;   /* for the cache */
	char *cache[FRAMES];
	bool stop;
} vm = {.slots_lock = PTHREAD_MUTEX_INITIALIZER, .mmu_lock = PTHREAD_MUTEX_INITIALIZER};

/* In a section of vm.srcu. */
static char *gfn_to_hva(unsigned int gfn)
{
	struct memslots *slots = srcu_dereference(vm.memslots, &vm.srcu);
	struct memslot *slot = &slots->slots[gfn / SLOT_FRAMES];

	if (!slot->memory || slot->invalid)
		return NULL;
	return slot->memory + gfn % SLOT_FRAMES * FRAME_SIZE;
}

/* What a frame is at, by the cache or by the table, which the cache learns from. */
static char *translate(unsigned int gfn)
{
	char *hva;

	pthread_mutex_lock(&vm.mmu_lock);
	hva = vm.cache[gfn];
	if (!hva)
		hva = vm.cache[gfn] = gfn_to_hva(gfn);
	pthread_mutex_unlock(&vm.mmu_lock);
	return hva;
}

static void *vcpu(void *arg)
{
	unsigned long *accesses = arg;

	for (unsigned int gfn = 0; !__atomic_load_n(&vm.stop, __ATOMIC_RELAXED);
		gfn = (gfn + 3) % FRAMES) {
		int idx = srcu_read_lock(&vm.srcu);
		const char *hva = translate(gfn);

		sched_yield(); /* a section may do so, and may sleep */
		if (hva && hva[0] != (char)(gfn / SLOT_FRAMES)) {
			fprintf(stderr, "frame %u is in freed memory\n", gfn);
			exit(1);
		}
		srcu_read_unlock(&vm.srcu, idx);
		*accesses += hva != NULL;
	}
	return NULL;
}

/* Under slots_lock: replace the table by one with @slot at @id, and wait for its readers. */
static void install_memslot(unsigned int id, struct memslot slot)
{
	struct memslots *old = vm.memslots, *slots = malloc(sizeof(*slots));

	if (!slots)
		abort();
	*slots = *old;
	slots->slots[id] = slot;
	srcu_assign_pointer(vm.memslots, slots);
	synchronize_srcu_expedited(&vm.srcu);
	free(old);
}

static void flush_cache(void)
{
	pthread_mutex_lock(&vm.mmu_lock);
	memset(vm.cache, 0, sizeof(vm.cache));
	pthread_mutex_unlock(&vm.mmu_lock);
}

static void create_memslot(unsigned int id)
{
	struct memslot slot = {.memory = malloc(SLOT_FRAMES * FRAME_SIZE)};

	if (!slot.memory)
		abort();
	memset(slot.memory, (int)id, SLOT_FRAMES * FRAME_SIZE);
	pthread_mutex_lock(&vm.slots_lock);
	install_memslot(id, slot);
	pthread_mutex_unlock(&vm.slots_lock);
}

static void delete_memslot(unsigned int id)
{
	struct memslot slot;

	pthread_mutex_lock(&vm.slots_lock);
	slot = vm.memslots->slots[id];
	slot.invalid = true;
	install_memslot(id, slot);
	flush_cache(); /* no CPU can put the slot's frames there again */
	install_memslot(id, (struct memslot){.memory = NULL});
	pthread_mutex_unlock(&vm.slots_lock);
	for (int i = 0; i < SLOT_FRAMES; i++) /* a CPU that still has a frame would notice */
		__atomic_store_n(&slot.memory[i * FRAME_SIZE], -1, __ATOMIC_RELAXED);
	free(slot.memory);
}

int main(void)
{
	unsigned long accesses[CPUS] = {0};
	pthread_t threads[CPUS];

	vm.memslots = calloc(1, sizeof(*vm.memslots));
	if (!vm.memslots || init_srcu_struct(&vm.srcu))
		return 1;
	for (unsigned int id = 2; id < SLOTS; id++)
		create_memslot(id);
	for (int i = 0; i < CPUS; i++)
		if (pthread_create(&threads[i], NULL, vcpu, &accesses[i]))
			return 1;
	for (unsigned int i = 0; i < DELETIONS; i++) {
		create_memslot(i % SLOTS);
		delete_memslot((i + 2) % SLOTS); /* the next one may get its memory */
	}
	__atomic_store_n(&vm.stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 2; i < SLOTS; i++)
		delete_memslot((DELETIONS + i) % SLOTS);
	free(vm.memslots);
	printf("memslots: %d slots deleted under %lu accesses\n", DELETIONS,
		accesses[0] + accesses[1]);
	return !(accesses[0] + accesses[1]) || cleanup_srcu_struct(&vm.srcu);
}
