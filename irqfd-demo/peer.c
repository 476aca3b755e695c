/* SPDX-License-Identifier: MIT */
/*
 * Other processes; peer.h says what it shares with this one.
 */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void inject(struct mailbox *mailbox, int eventfd)
{
	const uint64_t one = 1;

	mailbox_raise(mailbox);
	__atomic_fetch_add(&mailbox->injected, 1, __ATOMIC_RELAXED);
	if (write(eventfd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		_exit(EXIT_FAILURE);
}

/* Bursts and pauses until the orders end; the parent's death ends them too. */
static void peer_main(struct mailbox *mailbox, int eventfd, struct pace pace, int orders)
{
	struct pollfd end = {.fd = orders, .events = POLLIN};
	struct timespec pause;
	char begin;

	if (read(orders, &begin, 1) != 1)
		return;
	do {
		for (unsigned int n = pace_burst(&pace); n; n--)
			inject(mailbox, eventfd);
		pause = pace_pause(&pace);
	} while (ppoll(&end, 1, &pause, NULL) == 0);
}

/* The pipes of the others: one that is open here would never end. */
static void close_pipes(const struct peer *peers, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		close(peers[i].orders);
		close(peers[i].hang_up);
	}
}

void peer_fork(
	struct peer *peers, unsigned int n, struct mailbox *mailbox, int eventfd, struct pace pace)
{
	struct peer *peer = &peers[n];
	int orders[2], hang_up[2];

	if (pipe(orders) || pipe(hang_up))
		die(errno, "cannot make a pipe");
	peer->pid = fork();
	if (peer->pid < 0)
		die(errno, "cannot start the other process");
	if (peer->pid == 0) {
		/* The terminal's interrupt is for the parent, which tells us. */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		close_pipes(peers, n);
		close(orders[1]);
		close(hang_up[0]);
		prctl(PR_SET_NAME, "irqfd-demo peer");
		peer_main(mailbox, eventfd, pace, orders[0]);
		_exit(EXIT_SUCCESS);
	}
	close(orders[0]);
	close(hang_up[1]);
	peer->orders = orders[1];
	peer->hang_up = hang_up[0];
}

void peer_begin(struct peer *peer)
{
	/* A process that is gone already shows at peer_end(). */
	ssize_t written = write(peer->orders, "", 1);

	(void)written;
}

int peer_end(struct peer *peer)
{
	int status;

	close(peer->orders);
	while (waitpid(peer->pid, &status, 0) < 0)
		if (errno != EINTR)
			die(errno, "cannot wait for the other process");
	return status;
}
