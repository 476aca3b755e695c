/* SPDX-License-Identifier: MIT */
/*
 * A server that reads its configuration again at SIGHUP.  Workers use one version
 * from the beginning to the end of a request, and may block meanwhile; the old
 * version is freed when the last of them is through.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <srcu/srcu.h>

#define RELOADS 20
#define WORKERS 2

struct config {
	unsigned int version;
	unsigned int workers, backlog; /* in the file the one is twice the other */
};

DEFINE_STATIC_SRCU(config_srcu);
static struct config *current;
static char path[] = "/tmp/srcu-reload-XXXXXX";
static bool stop;

static void config_write(unsigned int version)
{
	FILE *file = fopen(path, "w");

	if (!file)
		abort();
	fprintf(file, "version %u\nworkers %u\nbacklog %u\n", version, version, 2 * version);
	fclose(file);
}

static struct config *config_read(void)
{
	struct config *c = malloc(sizeof(*c));
	FILE *file = fopen(path, "r");

	if (!c || !file ||
		fscanf(file, "version %u workers %u backlog %u", &c->version, &c->workers,
			&c->backlog) != 3)
		abort();
	fclose(file);
	return c;
}

/* One request: what it sees must not change under it, not even while it sleeps. */
static void *worker(void *arg)
{
	unsigned long *requests = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		srcu_guard(&config_srcu);
		const struct config *c = srcu_dereference(current, &config_srcu);
		unsigned int workers = c->workers;

		usleep(100); /* as a request to another server would block */
		if (c->workers != workers || c->backlog != 2 * workers) {
			fprintf(stderr, "the configuration changed during a request\n");
			exit(1);
		}
		++*requests;
	}
	return NULL;
}

static void reload(void)
{
	struct config *old = current;

	srcu_assign_pointer(current, config_read());
	synchronize_srcu(&config_srcu);
	__atomic_store_n(&old->workers, 0, __ATOMIC_RELAXED); /* a worker would notice */
	free(old);
}

int main(void)
{
	unsigned long requests[WORKERS] = {0};
	pthread_t threads[WORKERS];
	int signal, wrong, file = mkstemp(path);
	sigset_t hup;

	if (file < 0)
		return 1;
	close(file);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &hup, NULL);
	config_write(1);
	current = config_read();
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&threads[i], NULL, worker, &requests[i]))
			return 1;
	for (unsigned int version = 2; version < 2 + RELOADS; version++) {
		config_write(version);
		kill(getpid(), SIGHUP); /* the administrator's part */
		sigwait(&hup, &signal);
		reload();
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	unlink(path);
	printf("reload: version %u after %lu requests\n", current->version,
		requests[0] + requests[1]);
	wrong = current->version != 1 + RELOADS;
	free(current);
	return wrong || cleanup_srcu_struct(&config_srcu);
}
