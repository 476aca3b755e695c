#!/bin/sh
# SPDX-License-Identifier: MIT
# srcu-bench and the report of its results: the command line, a few benchmarks,
# what the JSON of them ends with, and the page, the tables and the plots made of it.
# SRCU_BENCH names the program, BENCH_REPORT the script.

bench=${SRCU_BENCH:-bench/srcu-bench}
report=${BENCH_REPORT:-bench/report.py}
failures=0

if ! test -x "$bench"; then
	echo "$bench: no such program" >&2
	exit 77
fi
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

fail() {
	echo "FAIL: $*"
	sed 's/^/    /' "$tmp/out" "$tmp/err"
	failures=$((failures + 1))
}

# expect STATUS COMMAND...: run it, keeping what it prints.
expect() {
	wanted=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	if test "$status" -ne "$wanted"; then
		fail "$*: status $status, not $wanted"
		return 1
	fi
}

# has FILE TEXT...: each of them is in it.
has() {
	file=$1
	shift
	for text in "$@"; do
		grep -qF -e "$text" "$tmp/$file" || fail "no '$text' in $file"
	done
}

for option in --frobnicate --flood=0 --flood=x --flood=4294967296 --quick=1 --unpinned=no \
	--benchmark_min_time=x; do
	expect 2 "$bench" "$option" && has err 'usage: srcu-bench'
done
expect 2 "$bench" --benchmark_filter=^none$ && has err 'no benchmark matches'
expect 0 "$bench" --help && has out --quick --unpinned --progress

# Few, of which one has a bound without a peer; of each, three repetitions.
filter='^(read/srcu_fast|scan/cpus:(2|64)|seq_read/seqcount/bytes:(8|16))(/|$)'
expect 0 "$bench" --benchmark_list_tests --benchmark_filter="$filter"
test "$(wc -l <"$tmp/out")" -eq 5 || fail 'not five benchmarks'
expect 0 "$bench" --quick --progress --benchmark_filter="$filter" \
	--benchmark_out="$tmp/json" --benchmark_context=commit=0123abc || exit 1
has err '[1/15] '
has out 'Figures: ' 'scan/cpus:64 ' 'Bounds: '
has json '"name": "figure:scan/cpus:64"' '"name": "machine/noise"' '"cpu_share": ' \
	'"threads": "pinned"' '"virtual machine": ' '"commit": "0123abc"'
grep -q '"label": "- ns <= \(holds\|missed\|noisy\)"' "$tmp/json" || fail 'no verdict in JSON'
test "$(grep -c '"repetition_index": 2' "$tmp/json")" -eq 5 || fail 'not three repetitions of each'

expect 0 "$bench" --quick --unpinned --benchmark_filter='^read/srcu_fast$' --benchmark_format=json
has out '"threads": "not pinned"' '"name": "machine/noise"'

# The report.
if ! python=$(python3 -c 'import sys; print(sys.executable)'); then
	echo 'no Python: the report is not tested'
	exit $((failures ? 1 : 77))
fi
expect 1 "$python" "$report" "$tmp/none" && has err 'none: '
echo '{"benchmarks": 1}' >"$tmp/other"
expect 1 "$python" "$report" "$tmp/other" && has err "not srcu-bench's JSON"
expect 2 "$python" "$report" --markdown --plot=scan "$tmp/json"
expect 1 env PATH="$tmp" "$python" "$report" "$tmp/json" && has err 'gnuplot is not installed'

expect 0 "$python" "$report" --markdown "$tmp/json"
has out '# Results of srcu-bench' '| commit | 0123abc |' '| scan/cpus:64 | ' \
	"srcu-bench --benchmark_filter='^(scan/cpus:64)(/.*time)?\$'"
# The command of a figure runs what the figure is of.
sed -n "s/^srcu-bench --benchmark_filter='\(.*scan.*64.*\)'\$/\1/p" "$tmp/out" >"$tmp/command"
expect 0 "$bench" --benchmark_list_tests --benchmark_filter="$(cat "$tmp/command")"
test "$(cat "$tmp/out")" = scan/cpus:64/manual_time || fail "not the figure's benchmark"

if command -v gnuplot >/dev/null; then
	expect 1 "$python" "$report" --plot=none "$tmp/json" && has err 'no plot none'
	expect 1 "$python" "$report" --plot=idle "$tmp/json" && has err 'no results for the plot idle'
	expect 0 "$python" "$report" --plot=scan "$tmp/json" && has out '<svg' 'CPUs'
	expect 0 "$python" "$report" "$tmp/json"
	has out 'id="machine"' 'id="figures"' 'id="plots"' 'id="results"' '<th>verdict</th>' \
		'id="read"' 'id="scan"' 'id="seq-read"' 'scan/<wbr>cpus:64' '<details>' \
		"srcu-bench --benchmark_filter=&#x27;^scan/&#x27;"
	# What has no results has no plot, and the page needs no other file.
	test "$(grep -c '<svg' "$tmp/out")" -eq 3 || fail 'not three plots'
	grep -E "https?://|<script|<link|<img|src=|@import|url\(['\"]?[^#'\")]" "$tmp/out" &&
		fail 'the page is not self-contained'
	# Each reference is to something of the page.
	grep -oE "href=['\"][^'\"]*" "$tmp/out" | sed "s/.*['\"]//" | sort -u >"$tmp/references"
	test -s "$tmp/references" || fail 'no references in the plots'
	while read -r reference; do
		grep -q "id=['\"]${reference#\#}['\"]" "$tmp/out" || fail "nothing is $reference"
	done <"$tmp/references"
else
	echo 'no gnuplot: plots are not tested'
fi

if test "$failures" -ne 0; then
	echo "$failures failed"
	exit 1
fi
