#!/bin/sh
# SPDX-License-Identifier: MIT
# The command line of irqfd-demo: what is wrong with it is said and ends with
# status 2; a short run and leak end with status 0 and show what they must.
# IRQFD_DEMO names the program.

program=${IRQFD_DEMO:-irqfd-demo/irqfd-demo}
# shellcheck source=test/program.sh
. "${srcdir:-.}/test/program.sh"

refuse 'no command given'
refuse "unknown command 'walk'" walk
refuse "unrecognized option '--frobnicate'" --frobnicate
refuse "unrecognized option '--frobnicate'" run --frobnicate
refuse "unrecognized option '--cpus=2'" leak --cpus=2
refuse "unexpected argument 'run'" run run
refuse "unexpected argument '5'" leak 5
refuse "requires an argument" run --cpus
refuse 'no seed given' seed
refuse "unknown seed '2'" seed 2
refuse "unexpected argument '002'" seed 002 002
refuse "unexpected argument '5'" routing-storm 5
refuse '--duration takes seconds from 0.1' routing-storm --duration=0
refuse "--route-by takes copy or pointer, not 'x'" run --route-by=x
refuse "--domain-per takes machine or irqfd, not ''" run --domain-per=

for option in cpus devices routes; do
	for value in 0 -1 '' ' 1' +1 1x x 0x10 1.5 1e3 99999 4294967297 \
		18446744073709551617 99999999999999999999999; do
		refuse "--$option takes a number from 1 to" run "--$option=$value"
	done
done
refuse '--cpus takes a number from 1 to 64' run --cpus 65
refuse '--devices takes a number from 1 to 256' run --devices 257
refuse '--routes takes a number from 1 to 4096' run --routes 4097
refuse '--routes must be at least 8' run --routes 7
refuse '--routes must be at least 104' run --routes 103 --devices 100
for value in 0 0.0 0.09 -1 '' . .5 nan inf 1e1 0x1 '1 ' 1.2.3 86401; do
	refuse '--duration takes seconds from 0.1' run "--duration=$value"
done
for value in '' -1 x 18446744073709551616; do
	refuse '--seed takes a number from 0' run "--seed=$value"
done
for value in 0 -1 '' x 1000001 18446744073709551617; do
	refuse '--count takes a number from 1 to 1000000' leak "--count=$value"
done

expect 0 --help && show '^Usage: '
expect 0 run --help && show '--duration'
expect 0 leak --help && show '--count'
expect 0 --version && show '^irqfd-demo [0-9]'

# quiet: the last run's report shows no broken invariant, work done by everyone and on every path.
quiet() {
	for name in lost torn stale 'stale slots' 'stale translations' 'lines up' 'irqfds leaked'; do
		show "^$name +0\$"
	done
	for name in 'routing updates' 'grace periods' 'by other processes' 'devices replugged' \
		'slot changes' 'page changes' faults; do
		show "^$name +[1-9]"
	done
	show '^< +[0-9.]+ [num]?s( +[0-9]+\.[0-9]% #+)'
	for path in direct eventfd signal level; do
		show "^$path +[1-9][0-9]* +[1-9][0-9]* +[0-9]+ .*[0-9] [num]?s +[0-9.]+ [num]?s\$"
	done
	test ! -s "$tmp/err" || fail 'something on standard error'
}

expect 0 run --duration 1 && quiet
expect 0 run --duration 0.3 --cpus 1 --devices 3 --routes 7 --seed 18446744073709551615 && quiet
expect 0 run --duration 0.5 --cpus 64 --devices 256 --routes 4096 && quiet
expect 0 run --duration 0.2 --cpus 64 --devices 1 && show '^lost +0$'

# The queue of real-time signals may be full: interrupts come none the less.
if command -v prlimit >/dev/null; then
	timeout -k 5 120 prlimit --sigpending=0 "$program" run --duration 0.3 >"$tmp/out" 2>"$tmp/err" ||
		fail 'run with no room for real-time signals'
	quiet
fi

# Too few descriptors: said, and no hang.
# shellcheck disable=SC3045
(ulimit -n 20 && exec timeout -k 5 120 "$program" run --devices 256) >"$tmp/out" 2>"$tmp/err"
test $? -eq 1 || fail 'run with 20 descriptors does not end with status 1'
grep -q 'cannot make a' "$tmp/err" || fail 'too few descriptors, but no message'

# Output that cannot be written is an error, said on standard error.
if test -c /dev/full; then
	timeout -k 5 120 "$program" run --duration 0.2 >/dev/full 2>"$tmp/err"
	test $? -eq 1 || fail 'a run that cannot write its table does not end with status 1'
	: >"$tmp/out"
	grep -q 'cannot write' "$tmp/err" || fail 'a run that cannot write says nothing'
fi

# A signal ends a run early, with the table.  It comes with the first row of figures.
mkfifo "$tmp/lines"
"$program" run --duration 600 >"$tmp/lines" 2>"$tmp/err" &
pid=$!
while read -r line; do
	case $line in
	*.*' s '*/s) kill -TERM "$pid" ;;
	esac
	echo "$line"
done <"$tmp/lines" >"$tmp/out"
wait "$pid" || fail 'a run that was ended early has not ended with status 0'
quiet

expect 0 leak --count 123 && {
	show '^ *sections +[1-9][0-9]* on the thread, [1-9][0-9]* in interrupts$'
	test "$(grep -cE '^ *increments lost +[1-9][0-9]*$' "$tmp/out")" -eq 2 ||
		fail 'increments were not lost in two of three parts'
	test "$(grep -cE '^ *increments lost +0$' "$tmp/out")" -eq 1 ||
		fail 'the real lock lost increments'
	show '^ *increments lost +123$'
	test "$(grep -cE '^ *cleanup_srcu_struct\(\) +-EBUSY, with a warning:$' "$tmp/out")" -eq 2 ||
		fail 'clean-up did not warn twice'
	show '^ *cleanup_srcu_struct\(\) +0, no warning$'
	test "$(grep -cE '^ *once they are made up for +0, no warning$' "$tmp/out")" -eq 2 ||
		fail 'the counts do not balance once they are made up for'
}
expect 0 leak --count 1 && show '^ *increments lost +1$'

finish
