#!/bin/sh
# SPDX-License-Identifier: MIT
# The seeds of irqfd-demo: all is right with each mechanism, and each breaks
# without it in its own way.  And the storm of routing updates, which compares and
# whose figures are not judged.  IRQFD_DEMO names the program.

program=${IRQFD_DEMO:-irqfd-demo/irqfd-demo}
# shellcheck source=test/program.sh
. "${srcdir:-.}/test/program.sh"

# run ARGUMENT...: the demo must end with status 0 and report nothing.
run() {
	expect 0 "$@" || return
	test ! -s "$tmp/err" || fail "$*: something on standard error"
}

# seed NUMBER PARTS: it has so many parts, each with and without.
seed() {
	run seed "$1" || return 1
	test "$(grep -cE '^  with ' "$tmp/out")" -eq "$2" || fail "seed $1: not $2 parts"
	test "$(grep -cE '^  without ' "$tmp/out")" -eq "$2" || fail "seed $1: not $2 ablations"
}

# pair MECHANISM WITH WITHOUT: there is a part that shows this with it, and that without.
pair() {
	grep -qE "^  with +$1: $2\$" "$tmp/out" || fail "with $1: not '$2'"
	grep -qE "^  without +$1: $3\$" "$tmp/out" || fail "without $1: not '$3'"
}

poison='the update returns, and the delivery has a freed route: poison'
waits='the update waits, and the delivery has its route'
for_ever='the handler waits for ever, .*'

seed 000 4 && {
	pair 'the sequence counter' 'delivered to CPU 1 by vector 0x82' '.*: torn'
	pair 'interrupts off' 'delivered to CPU 1 by vector 0x82' "$for_ever"
	pair 'leaving it to the worker' 'delivered .* 0x82, by the worker' "$for_ever"
	pair 'the grace period' 'the update waits' 'the update returns, .* by the old route'
}
seed 001 3 && {
	pair 'delivery by the signaller' '100 of 100 delivered .*' '0 of 100 delivered .*'
	pair 'clearing the pointer' 'the event is dropped' '.* freed table: poison'
	pair 'the grace period' "$waits" "$poison"
}
seed 002 4 && {
	pair 'the grace period' 'the deletion waits, .* hva 0x3000' \
		'the deletion returns, .* hva 0xd{16}'
	pair 'the sequence check' '.*' '.*'
	pair 'the step through INVALID' 'the guest has nothing there' 'the guest still has frame .*'
	pair 'publishing the slot once more' '.* is there again' '.* is lost to the guest'
}
seed 003 5 && {
	pair 'the hang-up' '0 irqfds are left, and a new one works' '200 irqfds are left, .*'
	pair 'looking under the lock' 'the irqfd is released once' 'the irqfd is released twice'
	test "$(grep -c 'the irqfd is released twice' "$tmp/out")" -eq 2 || fail 'not twice twice'
	pair 'unbinding at the end' 'the eventfd counts 1, .*' '.* a machine that is gone'
	pair "waiting for each irqfd's domain" "$waits" "$poison"
}
seed 004 2 && {
	pair 'an increment in one piece' '0 of 10 readers not counted; clean-up is silent' \
		'10 of 10 readers not counted; clean-up warns of them: -EBUSY'
	pair 'an increment in one piece' "$waits" "$poison"
}

if grep -q __tsan_init "$program"; then
	echo 'no routing-storm: TSan reports races in liburcu, which it compares with'
else
	run routing-storm --duration 0.1 && for routes in 1 100 4096; do
		grep -qE "^ *$routes( +[0-9.]+ us){2,3}( +[0-9.]+ x){1,2}\$" "$tmp/out" ||
			fail "no figures for $routes routes"
	done
fi

# The choices that are right either way.
for choice in --route-by=pointer --domain-per=irqfd '--route-by=pointer --domain-per=irqfd'; do
	# shellcheck disable=SC2086
	run run --duration 0.3 --devices 6 $choice && for name in lost torn stale; do
		grep -qE "^$name +0\$" "$tmp/out" || fail "$choice: not 0 $name"
	done
done

finish
