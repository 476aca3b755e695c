/* SPDX-License-Identifier: MIT */
/*
 * The reactor; reactor.h says what it is.  Owns an epoll instance, in which
 * each source has two numbers: even for its eventfd, odd for its hang-up pipe.
 *
 * A number may be given to another source while the reactor still has events for
 * the one before in hand: then the other is woken for nothing, which is harmless.
 * Hang-ups are not mistaken, for it is the hang-up that gives the number away.
 */
#include "reactor.h"

#include "demo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STOP       UINT32_MAX
#define BATCH_SIZE 32

static void watch(struct reactor *reactor, int fd, uint32_t number)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};

	if (epoll_ctl(reactor->epoll, EPOLL_CTL_ADD, fd, &event))
		die(errno, "cannot poll an eventfd");
}

void reactor_init(struct reactor *reactor, unsigned int max_sources)
{
	reactor->sources = zalloc(max_sources * sizeof(reactor->sources[0]));
	reactor->max_sources = max_sources;
	pthread_mutex_init(&reactor->lock, NULL);
	pthread_cond_init(&reactor->room, NULL);
	reactor->epoll = epoll_create1(EPOLL_CLOEXEC);
	reactor->stop = eventfd(0, EFD_CLOEXEC);
	if (reactor->epoll < 0 || reactor->stop < 0)
		die(errno, "cannot set the reactor up");
	watch(reactor, reactor->stop, STOP);
}

/* Under the lock; max_sources when there is none. */
static uint32_t free_number(const struct reactor *reactor)
{
	uint32_t n = 0;

	while (n < reactor->max_sources && reactor->sources[n].event)
		n++;
	return n;
}

void reactor_add(struct reactor *reactor, struct hub_event *event, int hang_up)
{
	uint32_t n;

	pthread_mutex_lock(&reactor->lock);
	while ((n = free_number(reactor)) == reactor->max_sources)
		pthread_cond_wait(&reactor->room, &reactor->lock);
	reactor->sources[n] = (struct reactor_source){.event = event, .hang_up = hang_up};
	watch(reactor, hub_fd(event), 2 * n);
	if (hang_up >= 0)
		watch(reactor, hang_up, 2 * n + 1);
	pthread_mutex_unlock(&reactor->lock);
}

/* What the writer wrote before it went comes first.  Under the lock. */
static void source_close(struct reactor *reactor, struct reactor_source *source)
{
	if (!source->event)
		return;
	epoll_ctl(reactor->epoll, EPOLL_CTL_DEL, hub_fd(source->event), NULL);
	hub_wake(source->event);
	hub_close(source->event);
	source->event = NULL;
	if (source->hang_up >= 0)
		close(source->hang_up);
	pthread_cond_broadcast(&reactor->room);
}

static bool serve(struct reactor *reactor, const struct epoll_event *event)
{
	uint32_t number = event->data.u32;
	struct reactor_source *source;

	if (number == STOP)
		return false;
	pthread_mutex_lock(&reactor->lock);
	source = &reactor->sources[number / 2];
	if (number % 2)
		source_close(reactor, source);
	else if (source->event)
		hub_wake(source->event);
	pthread_mutex_unlock(&reactor->lock);
	return true;
}

static void *reactor_main(void *argument)
{
	struct reactor *reactor = argument;
	struct epoll_event batch[BATCH_SIZE];
	bool running = true;

	while (running) {
		int n = epoll_wait(reactor->epoll, batch, BATCH_SIZE, -1);

		if (n < 0 && errno != EINTR)
			die(errno, "cannot poll");
		for (int i = 0; i < n; i++)
			running &= serve(reactor, &batch[i]);
	}
	pthread_mutex_lock(&reactor->lock);
	for (unsigned int i = 0; i < reactor->max_sources; i++)
		source_close(reactor, &reactor->sources[i]);
	pthread_mutex_unlock(&reactor->lock);
	return NULL;
}

void reactor_start(struct reactor *reactor)
{
	reactor->thread = thread_spawn(reactor_main, reactor, "reactor");
}

void reactor_stop(struct reactor *reactor)
{
	const uint64_t one = 1;

	if (write(reactor->stop, &one, sizeof(one)) != (ssize_t)sizeof(one))
		die(errno, "cannot stop the reactor");
	pthread_join(reactor->thread, NULL);
	close(reactor->stop);
	close(reactor->epoll);
	pthread_cond_destroy(&reactor->room);
	pthread_mutex_destroy(&reactor->lock);
	free(reactor->sources);
}
