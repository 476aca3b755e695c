#!/bin/sh
# SPDX-License-Identifier: MIT
# The form of the sources: clang-format, licence lines, length of files, shell scripts.
cd "$(dirname "$0")/.." || exit 99
status=0
complain() {
	echo "$*"
	status=1
}
sources=$(git ls-files '*.c' '*.h' '*.cc' '*.hh' '*.hpp')
for file in $sources; do
	clang-format "$file" | cmp -s - "$file" || complain "$file: clang-format would change it"
	lines=$(wc -l <"$file")
	[ "$lines" -le 500 ] || complain "$file: $lines lines"
done
for file in $(git ls-files | grep -vE '^(LICENSE|NEWS|README.md|.*\.(3|7|1)|.*\.pc\.in|debian/.*)$'); do
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT' || complain "$file: no licence line"
done
# shellcheck disable=SC2046
shellcheck $(git ls-files | grep -E '\.sh$|^quickstart$|^bootstrap$|^\.ci/run$|^debian/tests/[a-z]*$' |
	grep -v /control$) ||
	complain "shellcheck"
exit $status
