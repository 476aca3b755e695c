/* SPDX-License-Identifier: MIT */
/*
 * Another process: a source that holds nothing of the machine but a mailbox,
 * an eventfd and two pipes.  Closing the first pipe tells it to end; the hang-up
 * of the second says that it has, and so has closed its eventfd.
 */
#ifndef PEER_H
#define PEER_H

#include "device.h"

#include <sys/types.h>

struct peer {
	pid_t pid;
	int orders;  /* one byte to begin, end of file to end */
	int hang_up; /* readable at the process's end */
};

/*
 * Fork @peers[@n], before the program has a second thread and after those before it
 * in the array.
 */
void peer_fork(
	struct peer *peers, unsigned int n, struct mailbox *mailbox, int eventfd, struct pace pace);

/* Let it inject. */
void peer_begin(struct peer *peer);

/* Tell it to end and wait for that.  Returns its wait status. */
int peer_end(struct peer *peer);

#endif /* PEER_H */
