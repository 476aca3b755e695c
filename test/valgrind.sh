#!/bin/sh
# SPDX-License-Identifier: MIT
# The unit tests and srcutorture under valgrind's memcheck.  It has no restartable
# sequences, so this is the fallback by atomic instructions.  To be run where they were
# built, with UNIT_TESTS in the environment.
#
# Left out are those that need more than valgrind gives: step-test, whose program is
# stepped through already; and what is a matter of how fast or how many.
: "${UNIT_TESTS:?}"
command -v valgrind >/dev/null || exit 77
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
status=0

# memcheck NAME PROGRAM ARGUMENT...
memcheck()
{
	name=$1
	shift
	if ./libtool --mode=execute valgrind --quiet --error-exitcode=9 --fair-sched=yes \
		--child-silent-after-fork=no "$@" >"$log" 2>&1; then
		echo "ok: $name"
	else
		echo "FAILED: $name: status $?"
		cat "$log"
		status=1
	fi
}

export CK_TIMEOUT_MULTIPLIER=10
for program in $UNIT_TESTS; do
	case $program in
	*step-test | *load-test | *many-test | *threads-test | *race-test) ;;
	*) memcheck "$program" "$program" ;;
	esac
done
memcheck srcutorture torture/srcutorture --duration "${TORTURE_SECONDS:-10}"
exit $status
