#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs the litmus tests here, in C11, through herd7, which is no Debian package, and
# compares its verdicts with those that the files expect.  The same programs, with
# more of the algorithm, are ../weak-*.pml.
set -u
cd "$(dirname "$0")" || exit

if ! command -v herd7 >/dev/null; then
	echo "litmus: skipped: there is no herd7"
	exit 77
fi

failed=0
for file in *.litmus; do
	expected=$(sed -n 's/.*Expected under RC11: *//p' "$file")
	verdict=$(herd7 -model rc11.cat "$file" | awk '/^Observation/ { print $3 }')
	word=ok
	if [ "$verdict" != "$expected" ]; then
		word="NOT AS EXPECTED ($expected)"
		failed=$((failed + 1))
	fi
	printf '%-26s %-10s %s\n' "${file%.litmus}" "${verdict:-broken}" "$word"
done
[ "$failed" = 0 ]
