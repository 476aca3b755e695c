/* SPDX-License-Identifier: MIT */
/*
 * CPU threads and their interrupts; cpu.h says what one is.
 * Owns the kick signals and the thread-local pointer to the CPU.
 *
 * Letters name the two sides of each ordering.
 */
#include "cpu.h"

#include "counters.h"
#include "lapic.h"

#include <errno.h>
#include <signal.h>

/*
 * A kick that the full queue of real-time signals refuses goes out as this
 * standard signal, which the kernel never refuses.
 */
#define SIGKICK       SIGRTMIN
#define SIGKICK_SPARE SIGUSR1

static _Thread_local struct cpu *self;

static void kick_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGKICK);
	sigaddset(set, SIGKICK_SPARE);
}

/*
 * A: the RMW on kicked comes after the sender's pending bit and before the
 * CPU's look at the bits (B).  Whoever comes second in the order of kicked sees
 * the other: a sender that finds it set knows that the CPU, which clears it by
 * an RMW that reads the sender's, will find the bit.
 */
void cpu_kick(struct cpu *cpu)
{
	pthread_t thread;

	if (__atomic_exchange_n(&cpu->kicked, 1, __ATOMIC_ACQ_REL))
		return;
	if (cpu == self && __atomic_load_n(&cpu->irqs_off, __ATOMIC_RELAXED)) {
		__atomic_store_n(&cpu->replay, 1, __ATOMIC_RELAXED);
		return;
	}
	/* A CPU may have begun to run before cpu_start() has stored its thread. */
	thread = cpu == self ? pthread_self() : cpu->thread;
	if (pthread_kill(thread, SIGKICK) == EAGAIN)
		pthread_kill(thread, SIGKICK_SPARE);
}

static void serve_lines(struct cpu *cpu)
{
	for (unsigned int i = 0; i < LINE_WORDS; i++) {
		uint64_t bits = __atomic_exchange_n(&cpu->lines[i], 0, __ATOMIC_ACQUIRE);

		for (; bits; bits &= bits - 1)
			cpu->ops->line(
				cpu->ops->data, i * 64 + (unsigned int)__builtin_ctzll(bits));
	}
}

static void take_vector(struct cpu *cpu, unsigned int vector)
{
	count(taken);
	cpu->ops->vector(cpu->ops->data, cpu, vector);
}

/* Serve what is pending, with irqs_off set. */
static void serve(struct cpu *cpu)
{
	bool sync;

	do {
		__atomic_store_n(&cpu->replay, 0, __ATOMIC_RELAXED);
		__atomic_exchange_n(&cpu->kicked, 0, __ATOMIC_ACQ_REL); /* B: see A */
		/* Read before the bits: all that was pending at the request is served. */
		sync = __atomic_exchange_n(&cpu->sync_wanted, 0, __ATOMIC_ACQUIRE);
		serve_lines(cpu);
		if (cpu->lapic)
			lapic_serve(cpu->lapic, take_vector, cpu);
		if (sync)
			sem_post(&cpu->synced);
	} while (__atomic_load_n(&cpu->replay, __ATOMIC_RELAXED));
}

static void kick_handler(int signal)
{
	struct cpu *cpu = self;
	int error = errno;

	(void)signal;
	if (__atomic_load_n(&cpu->irqs_off, __ATOMIC_RELAXED)) {
		__atomic_store_n(&cpu->replay, 1, __ATOMIC_RELAXED);
		return;
	}
	__atomic_store_n(&cpu->irqs_off, 1, __ATOMIC_RELAXED);
	serve(cpu);
	__atomic_store_n(&cpu->irqs_off, 0, __ATOMIC_RELAXED);
	errno = error;
}

void cpu_init_signals(void)
{
	struct sigaction action = {.sa_handler = kick_handler, .sa_flags = SA_RESTART};
	sigset_t kicks;

	kick_set(&kicks);
	action.sa_mask = kicks;
	pthread_sigmask(SIG_BLOCK, &kicks, NULL);
	if (sigaction(SIGKICK, &action, NULL) || sigaction(SIGKICK_SPARE, &action, NULL))
		die(errno, "cannot handle signals");
}

/*
 * Between a thread and its own handler the order of the program is enough, so
 * the fences here are for the compiler alone.
 */
uint32_t local_irq_save(void)
{
	struct cpu *cpu = self;
	uint32_t flags;

	if (!cpu)
		return 0;
	flags = __atomic_load_n(&cpu->irqs_off, __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->irqs_off, 1, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return flags;
}

void local_irq_restore(uint32_t flags)
{
	struct cpu *cpu = self;

	if (!cpu || flags)
		return;
	for (;;) {
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		__atomic_store_n(&cpu->irqs_off, 0, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		/* A signal from here on is served by the handler. */
		if (!__atomic_load_n(&cpu->replay, __ATOMIC_RELAXED))
			return;
		__atomic_store_n(&cpu->irqs_off, 1, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		serve(cpu);
	}
}

bool cpu_raise(struct cpu *cpu, unsigned int line)
{
	if (!bit_set(cpu->lines, line))
		return false;
	cpu_kick(cpu);
	return true;
}

/* Sleep until an interrupt comes.  The signals are open only in sigsuspend(). */
static void halt(struct cpu *cpu)
{
	sigset_t kicks, open;

	kick_set(&kicks);
	pthread_sigmask(SIG_BLOCK, &kicks, &open);
	/* With kicked set the signal is here or certain to come: sigsuspend() returns. */
	if (!__atomic_load_n(&cpu->stopping, __ATOMIC_ACQUIRE))
		sigsuspend(&open);
	pthread_sigmask(SIG_SETMASK, &open, NULL);
}

static void *cpu_main(void *argument)
{
	struct cpu *cpu = argument;
	sigset_t kicks;

	self = cpu;
	kick_set(&kicks);
	pthread_sigmask(SIG_UNBLOCK, &kicks, NULL);
	if (cpu->ops->run)
		cpu->ops->run(cpu->ops->data, cpu);
	while (!__atomic_load_n(&cpu->stopping, __ATOMIC_ACQUIRE)) {
		halt(cpu);
		if (cpu->ops->woken)
			cpu->ops->woken(cpu->ops->data, cpu);
	}
	/* The kick that came with stopping must not find the CPU gone. */
	pthread_sigmask(SIG_BLOCK, &kicks, NULL);
	return NULL;
}

void cpu_start(struct cpu *cpu, unsigned int id, const struct cpu_ops *ops, struct lapic *lapic)
{
	cpu->id = id;
	cpu->ops = ops;
	cpu->lapic = lapic;
	sem_init(&cpu->synced, 0, 0);
	cpu->thread = thread_spawn(cpu_main, cpu, "cpu %u", id);
	if (lapic)
		lapic->cpu = cpu;
}

static void sem_wait_uninterrupted(sem_t *sem)
{
	while (sem_wait(sem) && errno == EINTR)
		;
}

void cpu_sync(struct cpu *cpu)
{
	__atomic_store_n(&cpu->sync_wanted, 1, __ATOMIC_RELEASE);
	cpu_kick(cpu);
	sem_wait_uninterrupted(&cpu->synced);
}

void cpu_stop(struct cpu *cpu)
{
	__atomic_store_n(&cpu->stopping, 1, __ATOMIC_RELEASE);
	cpu_kick(cpu);
	pthread_join(cpu->thread, NULL);
	sem_destroy(&cpu->synced);
}
