#!/bin/sh
# SPDX-License-Identifier: MIT
# srcutorture: its command line, a run in which nothing may fail, and runs with a
# library that breaks a promise, so that each check must fail.
# SRCUTORTURE names the program, TORTURE_SECONDS is how long it runs, BREAKER the
# object of test/broken.c; FORKS=no: the program is built without forks.

program=${SRCUTORTURE:-torture/srcutorture}
# shellcheck source=test/program.sh
. "${srcdir:-.}/test/program.sh"
limit=1000000 # TORTURE_SECONDS may be days, and 0 is no limit to busybox's timeout

# verdict WORD: that is the last line.
verdict() {
	test "$(tail -n 1 "$tmp/out")" = "$1" || fail "the last line is not $1"
}

refuse "unrecognized option '--frobnicate'" --frobnicate
refuse "unexpected argument '5'" 5
for value in 0 65 -1 '' x; do
	refuse '--domains takes a number from 1 to 64' "--domains=$value"
done
for value in '' -1 x 18446744073709551616; do
	refuse '--seed takes a number from 0' "--seed=$value"
done
for value in 0 0.09 -1 '' nan 1e1 604801; do
	refuse '--duration takes seconds from 0.1' "--duration=$value"
done

# The library's own say on what it is told to do without.
for value in nothing cpus= cpus=x cpus=-1 cpus; do
	SRCU_FORCE=norseq,$value "$program" --duration 0.1 >"$tmp/out" 2>"$tmp/err"
	grep -qF "SRCU_FORCE: '$value' is not" "$tmp/err" || fail "SRCU_FORCE=$value is not reported"
done

expect 0 --duration 0.5 --seed 18446744073709551615 --domains 64 --json && {
	test "$(wc -l <"$tmp/out")" -eq 1 || fail 'JSON is not one line'
	grep -q '^{"verdict": "SUCCESS", "seed": 18446744073709551615, .*}$' "$tmp/out" ||
		fail 'no verdict and seed in JSON'
}

expect 0 --duration "${TORTURE_SECONDS:-10}" && verdict SUCCESS
test ! -s "$tmp/err" || fail 'something on standard error'
grep 'seed' "$tmp/out"
counts='sections kicks timers across waits polls callbacks barriers floods threads domains'
test "${FORKS-yes}" = no || counts="$counts forks"
test "$(nproc)" -eq 1 || counts="$counts shuffles"
for what in $counts; do
	grep -qE "^$what +[1-9][0-9]*\$" "$tmp/out" || fail "there were no $what"
done

# notice CHECK PROMISE: with the promise broken a run fails, and of some runs one by CHECK:
# it ends with the first failure, which may be another's.
notice() {
	for attempt in 1 2 3 4 5 6 7 8; do
		BROKEN=$2 LD_PRELOAD=$BREAKER "$program" --duration 60 >"$tmp/out" 2>"$tmp/err"
		if test $? -ne 1 || ! grep -q '^srcutorture: ' "$tmp/err"; then
			fail "$2 is broken: the status is not 1, or nothing was said"
		fi
		verdict FAILURE
		if grep -q "^failures of $1 " "$tmp/out"; then
			echo "$2 is broken: $1 failed in run $attempt"
			return
		fi
	done
	fail "$2 is broken: $1 has not failed"
}

if test -f "${BREAKER:-none}"; then
	notice pipe wait
	notice memory hurry
	notice cookie poll
	notice callback call
	notice barrier barrier
	notice progress lose
	notice sums count
	notice fork child
	notice return error
	notice report silence
fi

finish
