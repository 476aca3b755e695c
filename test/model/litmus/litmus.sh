#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs the litmus tests here, in C11, and compares the verdicts with those that the
# files expect: by herd7 where there is one, it is no Debian package, else by rc11.py.
# That is believed once it is right about shapes/, whose verdicts are well known, and
# refuses what it does not understand.  The same programs, with more of the algorithm,
# are ../weak-*.pml.
#
# usage: litmus.sh [NAME]...	all without names
set -u
cd "$(dirname "$0")" || exit

if command -v herd7 >/dev/null; then
	tool=herd7
	decide() { herd7 -model rc11.cat "$@"; }
elif command -v python3 >/dev/null; then
	tool=rc11.py
	decide() { python3 ./rc11.py "$@"; }
else
	echo "litmus: skipped: there is no herd7 and no python3"
	exit 77
fi

failed=0
# compare FILE...: prints each verdict
compare() {
	local file name expected verdict word observations
	observations=$(decide "$@")
	for file; do
		name=$(basename "$file" .litmus)
		expected=$(sed -n 's/.*Expected under RC11: *//p' "$file")
		verdict=$(awk -v name="$name" '/^Observation/ && $2 == name { print $3 }' \
			<<<"$observations")
		word=ok
		if [ -z "$verdict" ] || [ "$verdict" != "$expected" ]; then
			word="NOT AS EXPECTED ($expected)"
			failed=$((failed + 1))
		fi
		printf '%-26s %-10s %s\n' "$name" "${verdict:-broken}" "$word"
	done
}

# Edits of a shape; each makes of it what must be refused, with the line that it is in.
refusals() {
	cat <<'END'
s/^C .*/C/
s/^{}/{ x=1; }/
s/^P1/P2/
s/atomic_int\*/int*/
s/int a = //
s/int b/int a/
s/int b/int x/
s/relaxed/consume/
s/x, 1, memory_order_relaxed/x, 1, memory_order_acquire/
s/x, 1/x, a/
s/x, 1/x, -1/
s/x, 1/z, 1/
s/fence(.*/fence(memory_order_relaxed);/
s/^}/  if (a) {}\n}/
s/1:a=1/1:c=1/
s/1:b=0/z=0/
s/1:b=0/1:b=0 1:a=1/
s/exists/forall/
s/^exists.*//
END
}

refuse() {
	local edit said
	while read -r edit; do
		if said=$(sed "$edit" shapes/mp-fences.litmus | decide /dev/stdin 2>&1) ||
			! grep -q '^/dev/stdin:[0-9]*: ' <<<"$said"; then
			echo "not refused: $edit: $said"
			failed=$((failed + 1))
		fi
	done < <(refusals)
}

if [ "$tool" = rc11.py ]; then
	compare shapes/*.litmus
	refuse
	if [ "$failed" != 0 ]; then
		echo "litmus: rc11.py is not believed"
		exit 1
	fi
fi
echo "litmus: by $tool"
tests=(./*.litmus)
[ $# = 0 ] || tests=("${@/%/.litmus}")
compare "${tests[@]}"
[ "$failed" = 0 ]
