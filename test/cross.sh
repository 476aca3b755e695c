#!/bin/sh
# SPDX-License-Identifier: MIT
# The library for other processors: cross-compiled and linked statically, and what needs
# no Check run by qemu's user mode emulation.  That has no restartable sequences, so
# readers count by atomic instructions; and on x86 it shows no weaker order than x86
# has.  What is not installed is skipped, and said.
#
# srcutorture is built as with a sanitizer, which leaves out its forks: a child that
# starts a thread hangs in qemu 7.2 when another thread of the parent was starting one,
# since qemu's lock for that stays taken.  A program of its own forks where none is.
#
#   TORTURE_SECONDS  how long srcutorture runs on each, 10 by default
top=$(cd "$(dirname "$0")/.." && pwd) || exit 99
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
programs='test/cxx-test test/cxx20-test test/seqcount-cxx'
seconds=${TORTURE_SECONDS:-10}
ran=0 status=0
# GLib's allocator has locks that a child of fork() may find taken; malloc's are freed.
export G_SLICE=always-malloc

failed()
{
	echo "FAILED: $1"
	cat log
	status=1
}

# A child of fork() at rest: of its parent's threads one is inside, and none is being made.
cat >"$work/fork.c" <<'END'
#include <pthread.h>
#include <semaphore.h>
#include <srcu/srcu.h>
#include <sys/wait.h>
#include <unistd.h>

DEFINE_SRCU(domain);
static sem_t inside, end;
static struct srcu_head head;
static int invoked;

static void called(struct srcu_head *unused)
{
	(void)unused;
	invoked++;
}

static void *reader(void *arg)
{
	int idx = srcu_read_lock(&domain);

	sem_post(&inside);
	sem_wait(&end);
	srcu_read_unlock(&domain, idx);
	return arg;
}

static int child(void)
{
	struct srcu_stats stats;

	alarm(60);
	synchronize_srcu(&domain);
	return call_srcu(&domain, &head, called) || srcu_barrier(&domain) || invoked != 1 ||
	       srcu_get_stats(&domain, &stats) || stats.readers;
}

int main(void)
{
	pthread_t thread;
	int status;

	if (srcu_start_callbacks() || pthread_create(&thread, NULL, reader, NULL))
		return 1;
	sem_wait(&inside);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(child());
		if (waitpid(pid, &status, 0) != pid || status)
			return 2;
	}
	sem_post(&end);
	return pthread_join(thread, NULL) || cleanup_srcu_struct(&domain);
}
END

# machine HOST QEMU
machine()
{
	for tool in "$1-gcc" "$1-g++" "$2"; do
		command -v "$tool" >/dev/null || {
			echo "skipped: $1: no $tool"
			return
		}
	done
	ran=$((ran + 1))
	mkdir "$work/$1"
	cd "$work/$1" || exit 99
	# shellcheck disable=SC2086 # a list
	if ! { PKG_CONFIG=false "$top/configure" --quiet --host="$1" --enable-werror \
		--disable-shared --disable-demo CPPFLAGS=-DSANITIZED=true LDFLAGS=-static &&
		make -s -j"$(nproc)" LDFLAGS=-all-static torture/srcutorture $programs &&
		"$1-gcc" -std=gnu11 -O2 -static -pthread -I"$top" -o fork "$work/fork.c" \
			.libs/libsrcu.a; } >log 2>&1; then
		failed "$1: build"
		return
	fi
	for program in $programs ./fork "torture/srcutorture --duration $seconds"; do
		# shellcheck disable=SC2086 # with arguments
		if timeout 600 "$2" $program >log 2>&1; then
			echo "ok: $1 $program"
		else
			failed "$1 $program: status $?"
		fi
	done
}

machine aarch64-linux-gnu qemu-aarch64
machine riscv64-linux-gnu qemu-riscv64
machine arm-linux-gnueabihf qemu-arm

[ "$ran" -gt 0 ] || exit 77
exit $status
