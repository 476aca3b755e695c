#!/bin/sh
# SPDX-License-Identifier: MIT
# The library for other processors: cross-compiled and linked statically, and what needs
# no Check run by qemu's user mode emulation.  That has no restartable sequences, so
# readers count by atomic instructions; and on x86 it shows no weaker order than x86
# has.  What is not installed is skipped, and said.
#
#   TORTURE_SECONDS  how long srcutorture runs on each, 10 by default
top=$(cd "$(dirname "$0")/.." && pwd) || exit 99
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
programs='test/cxx-test test/cxx20-test test/seqcount-cxx'
ran=0 status=0

failed()
{
	echo "FAILED: $1"
	cat log
	status=1
}

# Children that a process of several threads forks may hang in this emulation until their
# alarm, and the time limits are for machines: such failures are told, and not counted.
torture()
{
	timeout 600 "$1" torture/srcutorture --duration "${TORTURE_SECONDS:-10}" >log 2>&1 && return
	! grep '^failures of' log | grep -qvE 'of (fork|progress|report) ' &&
		tail -n 1 log | grep -qx FAILURE && grep '^failures of' log
}

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
		--disable-shared --disable-demo LDFLAGS=-static &&
		make -s -j"$(nproc)" LDFLAGS=-all-static torture/srcutorture $programs; } \
		>log 2>&1; then
		failed "$1: build"
		return
	fi
	for program in $programs; do
		if timeout 600 "$2" "$program" >log 2>&1; then
			echo "ok: $1 $program"
		else
			failed "$1 $program: status $?"
		fi
	done
	if torture "$2"; then
		echo "ok: $1 torture/srcutorture"
	else
		failed "$1 torture/srcutorture"
	fi
}

machine aarch64-linux-gnu qemu-aarch64
machine riscv64-linux-gnu qemu-riscv64
machine arm-linux-gnueabihf qemu-arm

[ "$ran" -gt 0 ] || exit 77
exit $status
