/* SPDX-License-Identifier: MIT */
/*
 * A plug-in that is unloaded while threads use it.  Three steps come before
 * dlclose(): take it out of sight; synchronize_srcu(), after which no thread runs its
 * code; srcu_barrier(), after which no callback will.
 *
 * usage: plugin-unload [PLUGIN], which is ./plugin.so by default
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin.h"

#define ROUNDS  20
#define THREADS 2

static struct srcu_struct plugin_srcu;
static const struct plugin *plugin; /* NULL: none is loaded */
static unsigned long handled, done;
static bool stop;

static void *serve(void *arg)
{
	for (int i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i = (i + 1) % 1000) {
		int idx = srcu_read_lock(&plugin_srcu);
		const struct plugin *p = srcu_dereference(plugin, &plugin_srcu);

		if (p && p->handle(&plugin_srcu, &done, i) != 2 * i)
			abort();
		srcu_read_unlock(&plugin_srcu, idx);
		if (p)
			__atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED);
	}
	return arg;
}

static void *load(const char *path)
{
	void *object = dlopen(path, RTLD_NOW);

	if (!object) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	srcu_assign_pointer(plugin, (const struct plugin *)dlsym(object, "plugin"));
	return object;
}

static void unload(void *object)
{
	srcu_assign_pointer(plugin, NULL);
	synchronize_srcu(&plugin_srcu);
	if (srcu_barrier(&plugin_srcu))
		abort();
	dlclose(object);
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "./plugin.so";
	pthread_t threads[THREADS];
	unsigned long before;

	if (init_srcu_struct(&plugin_srcu))
		return 1;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, serve, NULL))
			return 1;
	for (int i = 0; i < ROUNDS; i++) {
		void *object = load(path);

		before = __atomic_load_n(&handled, __ATOMIC_RELAXED);
		while (__atomic_load_n(&handled, __ATOMIC_RELAXED) < before + 100)
			synchronize_srcu(&plugin_srcu);
		unload(object);
		if (dlopen(path, RTLD_NOW | RTLD_NOLOAD))
			return 1; /* it is still there */
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("plugin-unload: unloaded %d times, %lu requests, %lu callbacks\n", ROUNDS, handled,
		done);
	return handled != done || cleanup_srcu_struct(&plugin_srcu);
}
