/* SPDX-License-Identifier: MIT */
/*
 * The demo's model of interrupts where no scenario gets: what the end of an
 * interrupt's service leads to, and irqfds whose start or end meets signals, closes and
 * other routes.
 */
#include <errno.h>
#include <sched.h>

#include "harness.h"
#include "irqfd-demo/counters.h"
#include "irqfd-demo/cpu.h"
#include "irqfd-demo/hub.h"
#include "irqfd-demo/vm.h"

#define GSI    5
#define VECTOR 0x41u
#define OTHER  0x42u
#define ROUNDS 2000
#define RACES  20000
#define ENDS   10000

static struct vm vm;
static struct hub_event *event, *resample;

static struct hub_event *open_event(void)
{
	struct hub_event *opened = hub_open(0, 0);

	ck_assert_ptr_nonnull(opened);
	return opened;
}

static void begin(void)
{
	counters_init();
	vm_init(&vm, IRQCHIP_FULL, 1);
	event = open_event();
	resample = open_event();
}

static void end(void)
{
	ck_assert_int_eq(vm_end(&vm), 0);
	ck_assert_int_eq(hub_end(), 0);
	counters_free();
}

static void bind(struct hub_event *bound, struct hub_event *to_resample)
{
	ck_assert_int_eq(irqfd_assign(&vm, bound, GSI, to_resample, PATH_DIRECT), 0);
}

static void redirect(bool level)
{
	ioapic_redirect(&vm, GSI, &(struct ioapic_pin){.vector = VECTOR, .level = level});
}

static int route_msi(unsigned int gsi, unsigned int vector)
{
	const struct route_entry entry = {
		.gsi = gsi, .route = {.type = ROUTE_MSI, .vector = vector}};

	return routing_set(&vm, &entry, 1);
}

static void signal_and_settle(struct hub_event *signalled)
{
	ck_assert_int_eq(hub_signal(signalled, 1), 0);
	vm_settle(&vm);
}

static bool pending(unsigned int vector)
{
	return lapic_pending(&vm.lapics[0], vector);
}

static void take(struct cpu *cpu, unsigned int vector)
{
	(void)cpu;
	(void)vector;
}

/* The CPU takes what is pending and ends its service. */
static void serve(void)
{
	lapic_serve(&vm.lapics[0], take, NULL);
}

static void pin_is(bool irr, bool remote_irr)
{
	bool is_irr, is_remote_irr;

	ioapic_look(&vm, GSI, &is_irr, &is_remote_irr);
	ck_assert_int_eq(is_irr, irr);
	ck_assert_int_eq(is_remote_irr, remote_irr);
}

START_TEST(the_end_of_service_lowers_the_line_and_tells_every_resampler)
{
	struct hub_event *event2 = open_event(), *resample2 = open_event();

	redirect(true);
	bind(event, resample);
	bind(event2, resample2);
	for (int i = 0; i < 2; i++) {
		signal_and_settle(event);
		ck_assert(pending(VECTOR));
		pin_is(true, true);
		ck_assert(!hub_ready(resample) && !hub_ready(resample2));
		serve();
		ck_assert(!pending(VECTOR));
		pin_is(false, false);
		ck_assert_uint_eq(hub_drain(resample), 1);
		ck_assert_uint_eq(hub_drain(resample2), 1);
	}

	/* One that has left is not told, and its line stays with the other. */
	signal_and_settle(event);
	irqfd_deassign(&vm, event, GSI);
	pin_is(true, true);
	serve();
	ck_assert(!hub_ready(resample));
	ck_assert_uint_eq(hub_drain(resample2), 1);
	hub_close(event2);
	hub_close(resample2);
}
END_TEST

START_TEST(a_line_that_is_up_is_sent_again_after_its_service)
{
	redirect(true);
	vm_set_irq(&vm, SOURCE_USER, GSI, true);
	serve();
	ck_assert(pending(VECTOR));
	vm_set_irq(&vm, SOURCE_USER, GSI, false);
	serve();
	ck_assert(!pending(VECTOR));
	pin_is(false, false);
}
END_TEST

START_TEST(an_edge_has_an_end_of_service_too)
{
	redirect(false);
	bind(event, resample);
	for (int i = 0; i < 2; i++) {
		signal_and_settle(event);
		ck_assert(pending(VECTOR));
		serve();
		ck_assert_uint_eq(hub_drain(resample), 1);
		pin_is(false, false);
	}
}
END_TEST

START_TEST(a_resampler_s_eventfd_may_be_an_irqfd_s)
{
	redirect(true);
	bind(event, event);
	signal_and_settle(event);
	/* It signals itself for ever: the line is up again at each end of service. */
	for (int i = 0; i < 3; i++) {
		serve();
		vm_settle(&vm);
		ck_assert(pending(VECTOR));
		pin_is(true, true);
	}
}
END_TEST

static void vector_taken(void *data, struct cpu *cpu, unsigned int vector)
{
	(void)cpu;
	(void)vector;
	__atomic_fetch_add((uint64_t *)data, 1, __ATOMIC_RELAXED);
}

START_TEST(a_cpu_serves_a_level_in_its_handler)
{
	uint64_t taken = 0;
	const struct cpu_ops ops = {.vector = vector_taken, .data = &taken};
	struct cpu cpu = {0};

	cpu_init_signals();
	redirect(true);
	bind(event, resample);
	cpu_start(&cpu, 0, &ops, &vm.lapics[0]);
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		ck_assert_int_eq(hub_signal(event, 1), 0);
		while (!hub_drain(resample))
			sched_yield();
		ck_assert_uint_eq(__atomic_load_n(&taken, __ATOMIC_RELAXED), i);
	}
	cpu_stop(&cpu);
}
END_TEST

START_TEST(the_last_close_unbinds)
{
	struct hub_event *dup = hub_dup(event);

	hub_keep(event);
	bind(event, NULL);
	hub_close(event);
	vm_settle(&vm);
	ck_assert_int_eq(irqfd_assign(&vm, event, GSI, NULL, PATH_DIRECT), -EBUSY);
	hub_close(dup);
	vm_settle(&vm);
	bind(event, NULL);
	irqfd_deassign(&vm, event, GSI);
	hub_drop(event);
}
END_TEST

static void *deassign_main(void *arg)
{
	irqfd_deassign(&vm, event, GSI);
	return arg;
}

static void *reroute_main(void *arg)
{
	ck_assert_int_eq(route_msi(GSI, OTHER), 0);
	return arg;
}

static void *set_main(void *entry)
{
	ck_assert_int_eq(routing_set(&vm, entry, 1), 0);
	return NULL;
}

static bool irqfds_are_gone(void)
{
	bool gone;

	pthread_mutex_lock(&vm.irqfds_lock);
	gone = !vm.irqfds;
	pthread_mutex_unlock(&vm.irqfds_lock);
	return gone;
}

/* A section keeps the irqfd at its end, off the list, while the routes change. */
START_TEST(an_irqfd_at_its_end_delivers_by_the_live_routes)
{
	struct srcu_ctr *section;
	struct route_table *before;
	pthread_t deassigner, rerouter;

	ck_assert_int_eq(route_msi(GSI, VECTOR), 0);
	bind(event, NULL);
	before = vm.table;
	section = srcu_read_lock_fast(&vm.irq_srcu);
	deassigner = thread_start(deassign_main, NULL);
	while (!irqfds_are_gone())
		sched_yield();
	rerouter = thread_start(reroute_main, NULL);
	while (srcu_dereference(vm.table, &vm.irq_srcu) == before)
		sched_yield();
	ck_assert_int_eq(hub_signal(event, 1), 0);
	srcu_read_unlock_fast(&vm.irq_srcu, section);
	thread_join(deassigner);
	thread_join(rerouter);
	ck_assert(!pending(VECTOR));
	ck_assert(pending(OTHER));
}
END_TEST

/* The worker is held between its look at the routes and the line. */
START_TEST(a_pulse_lowers_the_line_that_it_raised)
{
	const struct route_entry other = {
		.gsi = GSI, .route = {.type = ROUTE_CHIP, .chip = CHIP_IOAPIC, .pin = GSI + 1}};
	struct route_table *before = vm.table;
	pthread_t rerouter;
	uint32_t flags;

	redirect(false);
	bind(event, NULL);
	flags = chips_lock(&vm);
	ck_assert_int_eq(hub_signal(event, 1), 0);
	while (synchronize_srcu_timeout(&vm.irq_srcu, 0) != -ETIMEDOUT)
		sched_yield();
	rerouter = thread_start(set_main, (void *)&other);
	while (srcu_dereference(vm.table, &vm.irq_srcu) == before)
		sched_yield();
	chips_unlock(&vm, flags);
	thread_join(rerouter);
	vm_settle(&vm);
	ck_assert(pending(VECTOR));
	ck_assert_uint_eq(vm.ioapic.irr, 0);
}
END_TEST

/* The event is drained, as at the irqfd's end, between its write and its wake-up. */
START_TEST(an_event_that_the_end_has_drained_is_delivered)
{
	struct srcu_ctr *section;
	pthread_t deassigner;

	ck_assert_int_eq(route_msi(GSI, VECTOR), 0);
	bind(event, NULL);
	section = srcu_read_lock_fast(&vm.irq_srcu);
	deassigner = thread_start(deassign_main, NULL);
	while (!irqfds_are_gone())
		sched_yield();
	ck_assert_int_eq(hub_write(event, 1), 0);
	ck_assert_uint_eq(hub_drain(event), 1);
	hub_wake(event);
	srcu_read_unlock_fast(&vm.irq_srcu, section);
	thread_join(deassigner);
	ck_assert(pending(VECTOR));
}
END_TEST

/* The round that the other thread may do, and the one it has done. */
static uint32_t round_begun, round_done;

static void round_await(uint32_t *round, uint32_t wanted)
{
	while (__atomic_load_n(round, __ATOMIC_ACQUIRE) != wanted)
		sched_yield();
}

static void round_set(uint32_t *round, uint32_t number)
{
	__atomic_store_n(round, number, __ATOMIC_RELEASE);
}

/* A little later in each round, so that some round meets each moment of what it races with. */
static void dawdle(uint32_t round)
{
	for (uint32_t i = 0; i < round % 100 * 50; i++)
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void *signal_main(void *arg)
{
	for (uint32_t i = 1; i <= RACES; i++) {
		round_await(&round_begun, i);
		dawdle(i);
		ck_assert_int_eq(hub_signal(event, 1), 0);
		round_set(&round_done, i);
	}
	return arg;
}

START_TEST(an_event_at_the_end_of_an_irqfd_is_delivered_or_stays)
{
	unsigned int delivered = 0, stayed = 0;
	pthread_t signaller;

	ck_assert_int_eq(route_msi(GSI, VECTOR), 0);
	signaller = thread_start(signal_main, NULL);
	for (uint32_t i = 1; i <= RACES; i++) {
		bind(event, NULL);
		round_set(&round_begun, i);
		irqfd_deassign(&vm, event, GSI);
		round_await(&round_done, i);
		if (hub_drain(event))
			stayed++;
		else if (pending(VECTOR))
			delivered++;
		serve();
	}
	thread_join(signaller);
	ck_assert_uint_eq(delivered + stayed, RACES);
	ck_assert_uint_gt(delivered, 0);
	ck_assert_uint_gt(stayed, 0);
}
END_TEST

/* Who signals may have found nobody to tell, when the irqfd comes. */
START_TEST(an_event_at_the_start_of_an_irqfd_is_delivered)
{
	pthread_t signaller;

	ck_assert_int_eq(route_msi(GSI, VECTOR), 0);
	signaller = thread_start(signal_main, NULL);
	for (uint32_t i = 1; i <= RACES; i++) {
		round_set(&round_begun, i);
		bind(event, NULL);
		round_await(&round_done, i);
		vm_settle(&vm);
		ck_assert(pending(VECTOR));
		irqfd_deassign(&vm, event, GSI);
		serve();
	}
	thread_join(signaller);
}
END_TEST

static void *close_main(void *arg)
{
	for (uint32_t i = 1; i <= ENDS; i++) {
		round_await(&round_begun, i);
		dawdle(i);
		hub_close(event);
		round_set(&round_done, i);
	}
	return arg;
}

/* The machine's end comes last in each round, so that it meets hang-ups as well. */
START_TEST(closes_deassigns_and_ends_of_machines_may_meet)
{
	struct hub_event *kept;
	pthread_t closer;

	closer = thread_start(close_main, NULL);
	for (uint32_t i = 1; i <= ENDS; i++) {
		kept = event;
		hub_keep(kept);
		bind(event, resample);
		round_set(&round_begun, i);
		if (i % 2)
			irqfd_deassign(&vm, kept, GSI);
		ck_assert_int_eq(vm_end(&vm), 0);
		round_await(&round_done, i);

		vm_init(&vm, IRQCHIP_FULL, 1);
		bind(kept, NULL);
		irqfd_deassign(&vm, kept, GSI);
		hub_drop(kept);
		event = open_event();
	}
	thread_join(closer);
	hub_close(event);
	hub_close(resample);
}
END_TEST

int main(void)
{
	TCase *service = test_case("service"), *ends = test_case("ends");
	TCase *cases[] = {service, ends, NULL};

	tcase_add_checked_fixture(service, begin, end);
	tcase_add_test(service, the_end_of_service_lowers_the_line_and_tells_every_resampler);
	tcase_add_test(service, a_line_that_is_up_is_sent_again_after_its_service);
	tcase_add_test(service, an_edge_has_an_end_of_service_too);
	tcase_add_test(service, a_resampler_s_eventfd_may_be_an_irqfd_s);
	tcase_add_test(service, a_cpu_serves_a_level_in_its_handler);
	tcase_add_checked_fixture(ends, begin, end);
	tcase_add_test(ends, the_last_close_unbinds);
	tcase_add_test(ends, an_event_at_the_start_of_an_irqfd_is_delivered);
	tcase_add_test(ends, an_irqfd_at_its_end_delivers_by_the_live_routes);
	tcase_add_test(ends, a_pulse_lowers_the_line_that_it_raised);
	tcase_add_test(ends, an_event_that_the_end_has_drained_is_delivered);
	tcase_add_test(ends, an_event_at_the_end_of_an_irqfd_is_delivered_or_stays);
	tcase_add_test(ends, closes_deassigns_and_ends_of_machines_may_meet);
	return run_suite("interrupts", cases);
}
