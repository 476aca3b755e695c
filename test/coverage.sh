#!/bin/bash
# SPDX-License-Identifier: MIT
# How much of the library and of the sequence counters the tests run: the lines, by
# lcov, of a build of its own in build/coverage, and which are never run.  Fails below
# 95 %.  A process that ends by a signal or by _exit() leaves no counts.
#
# Left out are the tests that step through programs, which take very long with counters in
# every line.  README.md names what only they run.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
for tool in lcov gcov; do
	command -v $tool >/dev/null || {
		echo "skipped: no $tool"
		exit 77
	}
done
mkdir -p "$top/build/coverage"
cd "$top/build/coverage"
[ -f Makefile ] || ../../configure --quiet CFLAGS='-O0 -g --coverage' CXXFLAGS='-O0 -g --coverage'
make -s -j"$(nproc)" check TESTS=
find . -name '*.gcda' -delete

# shellcheck disable=SC2016 # make's
programs=$(make -s --eval='print: ; @echo $(UNIT_TESTS)' print)
unit_tests=()
for program in $programs; do
	case $program in
	*step-test) ;;
	*) unit_tests+=("$program") ;;
	esac
done
export CK_VERBOSITY=minimal CK_TIMEOUT_MULTIPLIER=4
for program in "${unit_tests[@]}" test/fault-test test/limits-test test/crowd-test \
	test/seqcount-test test/seqcount-cxx test/cxx-test test/cxx20-test; do
	"./$program" >coverage.log 2>&1 || [ $? = 77 ] || {
		echo "FAILED: $program"
		cat coverage.log
		exit 1
	}
done
UNIT_TESTS=${unit_tests[*]} "$top/test/forced.sh"
./torture/srcutorture --duration "${TORTURE_SECONDS:-10}"

lcov --quiet --capture --directory . --output-file all.info 2>lcov.log || {
	cat lcov.log
	exit 1
}
lcov --quiet --extract all.info "$top/srcu/*" "$top/seqcount/*" --output-file library.info
echo "lines that are never run:"
awk -F '[:,]' -v top="$top/" '
	$1 == "SF" { file = $2; sub(top, "", file) }
	$1 == "DA" && $3 == 0 { printf "  %s:%d\n", file, $2 }' library.info
lcov --list library.info
awk -F: '
	$1 == "LF" { lines += $2 }
	$1 == "LH" { hit += $2 }
	END {
		printf "%.1f %% of %d lines are run\n", 100 * hit / lines, lines
		exit hit < lines * 95 / 100
	}' library.info
