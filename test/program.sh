# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# What the tests of a program share.  They name it, "program", and source this; they
# end with finish.  tmp is a folder for them, and limit the seconds that it may take.

if ! test -x "${program:?}"; then
	echo "$program: no such program" >&2
	exit 77
fi
limit=600
failures=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

# fail TEXT: say so, and what the last command printed.
fail() {
	echo "FAIL: $*"
	for stream in out err; do
		head -n 40 "$tmp/$stream" | sed 's/^/    /'
	done
	failures=$((failures + 1))
}

# expect STATUS ARGUMENT...: run the program, keeping what it prints.
expect() {
	wanted=$1
	shift
	timeout -k 5 "$limit" "$program" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if test "$status" -ne "$wanted"; then
		fail "$*: status $status, not $wanted"
		return 1
	fi
}

# refuse TEXT ARGUMENT...: bad usage, with TEXT in the message and nothing else said.
refuse() {
	text=$1
	shift
	expect 2 "$@" || return
	grep -qF -e "$text" "$tmp/err" || fail "$*: no '$text' on standard error"
	test ! -s "$tmp/out" || fail "$*: something on standard output"
}

# show REGEX: the last command printed such a line.
show() {
	grep -qE -e "$1" "$tmp/out" || fail "no line matches '$1'"
}

finish() {
	test "$failures" -eq 0 && exit 0
	echo "$failures failed"
	exit 1
}
