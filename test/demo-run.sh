#!/bin/sh
# SPDX-License-Identifier: MIT
# What a run of irqfd-demo shows and writes: the picture on a terminal, the results
# as JSON and as a plot, and its end by signals.
# IRQFD_DEMO names the program.

program=${IRQFD_DEMO:-irqfd-demo/irqfd-demo}
# shellcheck source=test/program.sh
. "${srcdir:-.}/test/program.sh"

# run STATUS ARGUMENT...: a short run.
run() {
	wanted=$1
	shift
	expect "$wanted" run --duration 0.5 "$@"
}

# json FILE: print "key value" for each number and word in it, the keys joined by dots.
# Fails where it is no JSON.
json() {
	awk '
	function bad(what) {
		print "no JSON: " what " at: " substr(text, 1, 30) >"/dev/stderr"
		failed = 1
		exit 1
	}
	function take(regex) {
		sub(/^[ \n]+/, "", text)
		if (!match(text, regex))
			return 0
		token = substr(text, 1, RLENGTH)
		text = substr(text, RLENGTH + 1)
		return 1
	}
	function members(path, ending, is_object,    n, key) {
		if (take("^" ending))
			return
		do {
			key = n++
			if (is_object) {
				if (!take("^\"[a-z0-9_]+\""))
					bad("a key is missing")
				key = substr(token, 2, length(token) - 2)
				if ((path, key) in seen)
					bad("a key comes twice")
				seen[path, key]
				if (!take("^:"))
					bad("a colon is missing")
			}
			value(path == "" ? key : path "." key)
		} while (take("^,"))
		if (!take("^" ending))
			bad("an end is missing")
	}
	function value(path) {
		if (take("^[{]"))
			members(path, "[}]", 1)
		else if (take("^[[]"))
			members(path, "[]]", 0)
		else if (take("^(true|false|(0|[1-9][0-9]*)([.][0-9]+)?)"))
			print path " " token
		else
			bad("a value is missing")
	}
	{ text = text $0 "\n" }
	END {
		if (!failed) {
			value("")
			if (take("^[^ \n]"))
				bad("something behind it")
		}
	}' "$1"
}

# The figures of a run that went well.
good_json() {
	json "$1" >"$tmp/figures" || fail 'no JSON'
	missing=
	for figure in 'good true' 'cpus 3' 'devices 5' 'routes 70' 'seed 18446744073709551615' \
		'invariants\.lost 0' 'invariants\.torn 0' 'invariants\.stale 0' \
		'invariants\.stale_slots 0' 'invariants\.stale_translations 0' \
		'invariants\.lines_up 0' 'invariants\.irqfds_leaked 0' \
		'counts\.routing_updates [1-9][0-9]*'; do
		grep -qx "$figure" "$tmp/figures" || missing="$missing '$figure'"
	done
	for path in direct eventfd signal level; do
		for key in injected delivered p50_ns p99_ns latency.0.below_ns latency.0.events; do
			grep -qx "paths\\.$path\\.$key [1-9][0-9]*" "$tmp/figures" ||
				missing="$missing $path.$key"
		done
	done
	test -z "$missing" || fail "JSON without$missing"
}

set -- --cpus 3 --devices 5 --routes 70 --seed 18446744073709551615
run 0 "$@" --json "$tmp/json" && good_json "$tmp/json"
grep -q '^lost' "$tmp/out" || fail 'no report beside a file with JSON'
run 0 "$@" --json - && good_json "$tmp/out"
run 1 --json "$tmp/no/such/folder"
grep -q "cannot write $tmp/no/such/folder" "$tmp/err" || fail 'no message that JSON cannot be written'
if test -c /dev/full; then
	run 1 --json /dev/full
	grep -q 'cannot write /dev/full' "$tmp/err" || fail 'no message about a full device'
fi

# A gnuplot of our own: what it is told, what it writes, and that its failure is ours.
mkdir "$tmp/bin"
cat >"$tmp/bin/gnuplot" <<-END
	#!/bin/sh
	test "\$1" = --version && exit "\$(cat "$tmp/probe")"
	cat >"$tmp/commands"
	echo picture
	exit "\$(cat "$tmp/status")"
END
chmod +x "$tmp/bin/gnuplot"
path=$PATH
PATH=$tmp/bin:$PATH
echo 0 >"$tmp/probe"
echo 0 >"$tmp/status"
name="$tmp/it's \"a\" \$plot.svg"
run 0 --plot "$name"
test "$(cat "$name")" = picture || fail 'the plot is not in its file'
grep -q '^set terminal svg' "$tmp/commands" || fail 'gnuplot is not asked for SVG'
for data in direct eventfd signal level; do
	grep -A 1 -xF "\$$data << END" "$tmp/commands" | grep -qE '^[0-9.e+-]+ [0-9.e+-]+$' ||
		fail "gnuplot gets no data of path $data"
done
echo 3 >"$tmp/status"
run 1 --plot "$name"
grep -q 'gnuplot failed' "$tmp/err" || fail 'no message that gnuplot failed'
echo 3 >"$tmp/probe"
run 1 --plot "$name"
grep -q 'gnuplot, which does not run' "$tmp/err" || fail 'no message about a broken gnuplot'
test ! -s "$tmp/out" || fail 'a run although gnuplot is broken'
PATH=$path
timeout -k 5 120 env PATH="$tmp/none" "$program" run --plot "$name" >"$tmp/out" 2>"$tmp/err"
test $? -eq 1 || fail 'a plot without gnuplot does not end with status 1'
grep -q 'needs gnuplot, which cannot be run: No such file' "$tmp/err" ||
	fail 'no message that gnuplot is missing'
test ! -s "$tmp/out" || fail 'a run although gnuplot is missing'
if gnuplot --version >/dev/null 2>&1; then
	run 0 --plot "$name"
	grep -q '</svg>' "$name" || fail 'gnuplot has not written SVG'
fi

# on_terminal ROWS COLUMNS TERM ARGUMENT...: run on a terminal of that kind.  What is
# written to file descriptor 3 is typed there.
cat >"$tmp/terminal" <<-'END'
	#!/bin/sh
	stty rows "$1" columns "$2" -echo
	TERM=$3
	export TERM
	program=$4
	shift 4
	trap : INT
	"$program" run "$@"
	echo "status $?"
	stty -a
END
chmod +x "$tmp/terminal"
on_terminal() {
	rows=$1 columns=$2 term=$3
	shift 3
	timeout -k 5 120 script -qec "'$tmp/terminal' $rows $columns $term '$program' $*" /dev/null \
		<&3 >"$tmp/pipe" 2>&1
}

# as_read FILE: the pictures' text, a row on each line.
as_read() {
	tr -d '\r' <"$1" | sed "s/$(printf '\033')\\[[0-9;]*[mK]//g"
}

if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
	mkfifo "$tmp/pipe" "$tmp/keys"
	exec 3<>"$tmp/keys"

	# A control-C as soon as there is a picture ends the run with the report.
	LC_ALL=C on_terminal 24 80 xterm --duration 600 --cpus 64 --devices 256 --routes 4096 &
	typed=no
	while read -r line; do
		case $typed$line in
		no*'stale translations '*)
			printf '\003' >&3
			typed=yes # a second one would end it at once
			;;
		esac
		printf '%s\n' "$line"
	done <"$tmp/pipe" >"$tmp/raw"
	wait
	: >"$tmp/err"
	as_read "$tmp/raw" >"$tmp/out"
	grep -qx 'status 0' "$tmp/out" || fail 'control-C does not end a run on a terminal well'
	grep -qE '^lost +0$' "$tmp/out" || fail 'no report after control-C'
	grep -qE '[ ;]icanon' "$tmp/out" || fail 'the terminal is not as it was'
	grep -q "$(printf '\033')\\[?" "$tmp/raw" && fail 'a mode of the terminal was changed'
	awk '/^path +injected/ { exit } length > 80 { print; found = 1 } END { exit !found }' \
		"$tmp/out" && fail 'a picture has more than 80 columns'
	test "$(grep -n '^path  *injected' "$tmp/out" | cut -d: -f1)" -gt 20 ||
		fail 'no picture before the report'

	# The second picture is drawn over the first one, which is as high as it says.
	LC_ALL=C on_terminal 24 80 xterm --duration 2 --cpus 8 &
	cat "$tmp/pipe" >"$tmp/raw"
	wait
	as_read "$tmp/raw" >"$tmp/out"
	awk -v up="$(printf '\033')\\[[0-9]+A" '
		match($0, up) {
			if (rows != substr($0, 3, RLENGTH - 3) || rows > 23)
				wrong = 1
			pictures++
			rows = 0
		}
		/^path +injected/ { exit }
		{ rows++ }
		END { exit wrong || !pictures }' "$tmp/out" || fail 'pictures are not drawn in place'

	# Where there is no room for it there are lines.
	for kind in '23 80 xterm' '24 79 xterm' '24 80 dumb'; do
		# shellcheck disable=SC2086
		on_terminal $kind --duration 1.2 &
		cat "$tmp/pipe" >"$tmp/raw"
		wait
		as_read "$tmp/raw" >"$tmp/out"
		grep -qE '^ +1\.[0-9] s +[0-9]' "$tmp/out" || fail "no lines on a terminal $kind"
		grep -q "$(printf '\033')" "$tmp/out" && fail "a picture on a terminal $kind"
	done
	exec 3>&-
else
	echo 'no script(1): nothing tried on a terminal'
fi

# children PID: the processes that it has started.
children() {
	for stat in /proc/[0-9]*/stat; do
		sed "s/.*) [A-Z] $1 .*/child/" "$stat" 2>/dev/null | grep -qx child &&
			basename "$(dirname "$stat")"
	done
}

# A second signal ends the program at once: here another process, stopped, keeps the
# first one from ending it.
mkfifo "$tmp/lines"
# shellcheck disable=SC2016
timeout -s KILL 60 sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/pid" "$program" run --duration 600 \
	>"$tmp/lines" 2>"$tmp/err" &
read -r line <"$tmp/lines"
: "$line"
pid=$(cat "$tmp/pid")
peers=$(children "$pid")
test "$(echo "$peers" | wc -l)" -eq 2 || fail 'there are not two other processes'
# shellcheck disable=SC2086
kill -STOP $peers
while kill -TERM "$pid" 2>/dev/null; do
	:
done
wait $!
test $? -eq 143 || fail 'a second signal does not end a run'
# shellcheck disable=SC2086
kill -CONT $peers

finish
