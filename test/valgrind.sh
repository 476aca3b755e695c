#!/bin/bash
# SPDX-License-Identifier: MIT
# Unit tests and srcutorture under valgrind's memcheck, in a build of its own in
# build/valgrind, where tests are as small as with a sanitizer.  Valgrind has no
# restartable sequences, so this is the fallback by atomic instructions.
#
# usage: test/valgrind.sh [PROGRAM...]
#
# Left out, unless named, are those that step through programs, those that are about how
# fast or how many, and those that run themselves anew, which valgrind does not see.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
command -v valgrind >/dev/null || {
	echo "skipped: no valgrind"
	exit 77
}
mkdir -p "$top/build/valgrind"
cd "$top/build/valgrind"
[ -f Makefile ] || ../../configure --quiet --disable-shared CPPFLAGS=-DSANITIZED=true CFLAGS='-g -O1'
if [ $# = 0 ]; then
	# shellcheck disable=SC2016 # make's
	programs=$(make -s --eval='print: ; @echo $(UNIT_TESTS)' print)
	for program in $programs test/limits-test torture/srcutorture; do
		case $program in
		*step-test | *load-test | *many-test | *threads-test | *race-test) ;;
		*fault-test | *sandbox-test) ;;
		*) set -- "$@" "$program" ;;
		esac
	done
fi
make -s -j"$(nproc)" "$@"

export CK_VERBOSITY=minimal CK_TIMEOUT_MULTIPLIER=10
status=0
for program in "$@"; do
	arguments=() force=${SRCU_FORCE-}
	case $program in
	torture/srcutorture) arguments=(--duration "${TORTURE_SECONDS:-10}") ;;
	test/tree-test) force=tree,cpus=1024 ;; # which it would run itself anew for
	esac
	SRCU_FORCE=$force valgrind --quiet --error-exitcode=9 --fair-sched=yes \
		--suppressions="$top/srcu/srcu.supp" "$program" "${arguments[@]}" \
		>memcheck.log 2>&1 && result=0 || result=$?
	case $result in
	0) echo "ok: $program" ;;
	77) echo "skipped: $program" ;;
	*)
		echo "FAILED: $program, status $result"
		cat memcheck.log
		status=1
		;;
	esac
done
exit $status
