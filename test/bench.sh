#!/bin/sh
# SPDX-License-Identifier: MIT
# srcu-bench and the report of its results: the command line, a few benchmarks,
# what the JSON of them ends with, and the page, the tables and the plots made of it.
# SRCU_BENCH names the program, BENCH_REPORT the script.

program=${SRCU_BENCH:-bench/srcu-bench}
# shellcheck source=test/program.sh
. "${srcdir:-.}/test/program.sh"
bench=$program
report=${BENCH_REPORT:-bench/report.py}

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
	refuse 'usage: srcu-bench' "$option"
done
refuse 'no benchmark matches' '--benchmark_filter=^none$'
expect 0 --help && has out --quick --unpinned --progress

# Few, of which one has a bound without a peer; of each, three repetitions.
filter='^(read/srcu_fast|scan/cpus:(2|64)|seq_read/seqcount/bytes:(8|16))(/|$)'
expect 0 --benchmark_list_tests --benchmark_filter="$filter"
test "$(wc -l <"$tmp/out")" -eq 5 || fail 'not five benchmarks'
expect 0 --quick --progress --benchmark_filter="$filter" \
	--benchmark_out="$tmp/json" --benchmark_context=commit=0123abc || finish
has err '[1/15] '
has out 'Figures: ' 'scan/cpus:64 ' 'Bounds: '
has json '"name": "figure:scan/cpus:64"' '"name": "machine/noise"' '"cpu_share": ' \
	'"threads": "pinned"' '"virtual machine": ' '"commit": "0123abc"'
grep -q '"label": "- ns <= \(holds\|missed\|noisy\)"' "$tmp/json" || fail 'no verdict in JSON'
test "$(grep -c '"repetition_index": 2' "$tmp/json")" -eq 5 || fail 'not three repetitions of each'

expect 0 --quick --unpinned '--benchmark_filter=^read/srcu_fast$' --benchmark_format=json
has out '"threads": "not pinned"' '"name": "machine/noise"'

# Domains on one line are found, whether those of other benchmarks are an even number.
for before in none down_up/srcu/; do
	test "$(nproc)" -gt 1 || break
	expect 0 --quick --benchmark_enable_random_interleaving=false \
		--benchmark_filter="^($before|read_beside/same_line)"
	has out 'read_beside/same_line'
	! grep 'ERROR OCCURRED' "$tmp/out" || fail 'no domain on the same line'
done

# The report.
if ! python=$(python3 -c 'import sys; print(sys.executable)'); then
	echo 'no Python: the report is not tested'
	finish
fi
program=$(command -v env)
expect 1 PATH="$tmp" "$python" "$report" "$tmp/json" && has err 'gnuplot is not installed'
program=$python
expect 1 "$report" "$tmp/none" && has err 'none: '
echo '{"benchmarks": 1}' >"$tmp/other"
expect 1 "$report" "$tmp/other" && has err "not srcu-bench's JSON"
refuse 'not allowed with' "$report" --markdown --plot=scan "$tmp/json"

expect 0 "$report" --markdown "$tmp/json"
has out '# Results of srcu-bench' '| commit | 0123abc |' '| scan/cpus:64 | '
# The command of a figure runs what the figure is of.
sed -n "s/^srcu-bench --benchmark_filter='\\(.*scan.*64.*\\)'\$/\\1/p" "$tmp/out" >"$tmp/command"
program=$bench
expect 0 --benchmark_list_tests --benchmark_filter="$(cat "$tmp/command")"
test "$(cat "$tmp/out")" = scan/cpus:64/manual_time || fail "not the figure's benchmark"
program=$python

# No two benchmarks are the same dot of a plot, and its command runs all of them.
program=$bench
expect 0 --benchmark_list_tests && cp "$tmp/out" "$tmp/names"
program=$python
expect 0 -B -c '
import re, sys
sys.path.insert(0, sys.argv[1])
from plots import PLOTS
from results import SUFFIX
names = open(sys.argv[2]).read().split()
for plot in PLOTS:
    found = [(re.fullmatch(plot.pattern, SUFFIX.sub("", name)), name) for name in names]
    found = [(match.groups(), name) for match, name in found if match]
    assert len(dict(found)) == len(found), plot.key
    assert all(re.search(plot.only, name) for _, name in found), plot.key
' "${report%/*}" "$tmp/names"

if ! command -v gnuplot >/dev/null; then
	echo 'no gnuplot: plots are not tested'
	finish
fi
expect 1 "$report" --plot=none "$tmp/json" && has err 'no plot none'
expect 1 "$report" --plot=idle "$tmp/json" && has err 'no results for the plot idle'
expect 0 "$report" --plot=scan "$tmp/json" && has out '<svg' 'CPUs'
expect 0 "$report" "$tmp/json"
has out 'id="machine"' 'id="figures"' 'id="plots"' 'id="results"' '<th>verdict</th>' \
	'id="read"' 'id="scan"' 'id="seq-read"' 'scan/<wbr>cpus:64' '<details>' \
	"srcu-bench --benchmark_filter=&#x27;^scan/&#x27;"
# What has no results has no plot, and the page needs no other file.
test "$(grep -c '<svg' "$tmp/out")" -eq 3 || fail 'not three plots'
grep -E "https?://|<script|<link|<img|src=|@import|url\\(['\"]?[^#'\")]" "$tmp/out" &&
	fail 'the page is not self-contained'
# Each reference is to something of the page.
grep -oE "href=['\"][^'\"]*" "$tmp/out" | sed "s/.*['\"]//" | sort -u >"$tmp/references"
test -s "$tmp/references" || fail 'no references in the plots'
while read -r reference; do
	grep -q "id=['\"]${reference#\#}['\"]" "$tmp/out" || fail "nothing is $reference"
done <"$tmp/references"
finish
