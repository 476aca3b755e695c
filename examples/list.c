/* SPDX-License-Identifier: MIT */
/*
 * A list that threads walk while another one changes it.  The readers take no
 * lock; the updater waits for them before it frees what it took out.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <srcu/list.h>

#define LASTING 8 /* elements that stay: every walk must find all of them */
#define UPDATES 2000
#define READERS 2
#define WALKS   50

struct session {
	struct srcu_list_head links;
	unsigned int id;
	unsigned int check; /* ~id, until it is freed */
};

DEFINE_STATIC_SRCU(sessions_srcu);
static SRCU_LIST_HEAD(sessions);
static pthread_mutex_t sessions_lock = PTHREAD_MUTEX_INITIALIZER; /* for updaters */
static unsigned long walks;
static bool stop;

static struct session *session_open(unsigned int id)
{
	struct session *s = malloc(sizeof(*s));

	if (!s)
		abort();
	s->id = id;
	s->check = ~id;
	pthread_mutex_lock(&sessions_lock);
	srcu_list_add(&s->links, &sessions);
	pthread_mutex_unlock(&sessions_lock);
	return s;
}

static void session_close(struct session *s)
{
	pthread_mutex_lock(&sessions_lock);
	srcu_list_del(&s->links);
	pthread_mutex_unlock(&sessions_lock);
	synchronize_srcu(&sessions_srcu);                 /* no walk is at it any more */
	__atomic_store_n(&s->check, 0, __ATOMIC_RELAXED); /* a walk would notice */
	free(s);
}

static bool walk(void)
{
	unsigned int lasting = 0;
	bool sound = true;
	struct session *s;
	int idx = srcu_read_lock(&sessions_srcu);

	list_for_each_entry_srcu (s, &sessions, links, true) {
		unsigned int id = s->id;

		sched_yield(); /* a section may do so, and may sleep */
		sound = sound && s->check == ~id;
		lasting += id < LASTING;
	}
	srcu_read_unlock(&sessions_srcu, idx);
	return sound && lasting == LASTING;
}

static void *reader(void *arg)
{
	do {
		if (!walk()) {
			fprintf(stderr, "a walk found a freed session, or lost one\n");
			exit(1);
		}
		__atomic_fetch_add(&walks, 1, __ATOMIC_RELAXED);
	} while (!__atomic_load_n(&stop, __ATOMIC_RELAXED));
	return arg;
}

int main(void)
{
	struct session *lasting[LASTING];
	pthread_t threads[READERS];
	unsigned int id = 0;

	for (; id < LASTING; id++)
		lasting[id] = session_open(id);
	for (int i = 0; i < READERS; i++)
		if (pthread_create(&threads[i], NULL, reader, NULL))
			return 1;
	for (; id < UPDATES || __atomic_load_n(&walks, __ATOMIC_RELAXED) < WALKS; id++)
		session_close(session_open(id));
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < LASTING; i++)
		session_close(lasting[i]);
	printf("list: %u sessions came and went under %lu walks\n", id, walks);
	return cleanup_srcu_struct(&sessions_srcu) ? 1 : 0;
}
