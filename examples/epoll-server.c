/* SPDX-License-Identifier: MIT */
/*
 * A server whose only thread is an epoll loop, which invokes the callbacks as well:
 * the domain is one of SRCU_CALLBACKS_CALLER, and no thread of the library is
 * started.  Clients set a message and get it; another thread reads it too.
 *
 * The protocol: a byte 's' and a number set the message, 'g' asks for it, 'q' ends the
 * server.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <srcu/srcu.h>

#define CLIENTS 4
#define ROUNDS  500

struct message {
	unsigned int number, twice;
	struct srcu_head head;
};

static struct srcu_struct message_srcu;
static struct message *message;
static unsigned long replaced, freed;
static bool stop;

static void check(bool good, const char *what)
{
	if (!good) {
		perror(what);
		exit(1);
	}
}

static void free_message(struct srcu_head *head)
{
	free((char *)head - offsetof(struct message, head));
	freed++;
}

static void set_message(unsigned int number)
{
	struct message *old = message, *m = malloc(sizeof(*m));

	check(m, "malloc");
	m->number = number;
	m->twice = 2 * number;
	srcu_assign_pointer(message, m);
	replaced++;
	if (call_srcu(&message_srcu, &old->head, free_message))
		abort();
}

/* One command of a client; false: the server is to end. */
static bool serve(int client)
{
	unsigned int number;
	char command;

	if (read(client, &command, 1) != 1) {
		close(client);
	} else if (command == 's') {
		check(read(client, &number, sizeof(number)) == sizeof(number), "read");
		set_message(number);
	} else if (command == 'g') {
		number = message->number; /* this thread alone replaces it */
		check(write(client, &number, sizeof(number)) == sizeof(number), "write");
	}
	return command != 'q';
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	check(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

static void *server(void *listener)
{
	int listening = *(int *)listener, epoll = epoll_create1(0);
	struct epoll_event events[CLIENTS];
	bool running = true;

	watch(epoll, listening);
	while (running) {
		/* With callbacks to come, look again soon: their readers may have ended. */
		int n = epoll_wait(epoll, events, CLIENTS, freed < replaced ? 1 : -1);

		for (int i = 0; i < n; i++)
			if (events[i].data.fd == listening)
				watch(epoll, accept(listening, NULL, NULL));
			else
				running = serve(events[i].data.fd) && running;
		srcu_run_callbacks(&message_srcu, 16); /* no more, for the clients' sake */
	}
	close(epoll);
	return NULL;
}

static void *observer(void *arg)
{
	do {
		srcu_guard(&message_srcu);
		const struct message *m = srcu_dereference(message, &message_srcu);

		sched_yield(); /* a section may do so, and may sleep */
		if (m->twice != 2 * m->number)
			abort();
	} while (!__atomic_load_n(&stop, __ATOMIC_RELAXED));
	return arg;
}

/* Set the message by each client in turn and get it by the next. */
static void talk(const int *clients)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		int from = clients[i % CLIENTS], to = clients[(i + 1) % CLIENTS];
		char set[1 + sizeof(i)] = {'s'};
		unsigned int got = i;

		memcpy(set + 1, &i, sizeof(i));
		check(write(from, set, sizeof(set)) == sizeof(set), "write");
		check(write(from, "g", 1) == 1, "write");
		check(read(from, &got, sizeof(got)) == sizeof(got), "read");
		check(got == i, "the message is not what was set");
		check(write(to, "g", 1) == 1, "write");
		check(read(to, &got, sizeof(got)) == sizeof(got), "read");
		check(got == i, "the other client got another message");
	}
	check(write(clients[0], "q", 1) == 1, "write");
}

int main(void)
{
	struct srcu_options options = {.callbacks = SRCU_CALLBACKS_CALLER};
	struct sockaddr_un address = {.sun_family = AF_UNIX}; /* no name: bind() finds one */
	int clients[CLIENTS], listener = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t length = sizeof(sa_family_t);
	pthread_t threads[2];

	check(!bind(listener, (struct sockaddr *)&address, length), "bind");
	length = sizeof(address);
	check(!getsockname(listener, (struct sockaddr *)&address, &length), "getsockname");
	check(!listen(listener, CLIENTS), "listen");
	message = calloc(1, sizeof(*message));
	check(message && !init_srcu_struct_with(&message_srcu, &options), "initialisation");
	check(!pthread_create(&threads[0], NULL, server, &listener), "pthread_create");
	check(!pthread_create(&threads[1], NULL, observer, NULL), "pthread_create");
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		check(!connect(clients[i], (struct sockaddr *)&address, length), "connect");
	}
	talk(clients);
	pthread_join(threads[0], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(threads[1], NULL);
	check(!srcu_barrier(&message_srcu), "srcu_barrier"); /* what the loop left */
	printf("epoll-server: %lu messages replaced, %lu freed\n", replaced, freed);
	free(message);
	return replaced != ROUNDS || freed != replaced || cleanup_srcu_struct(&message_srcu);
}
