#!/bin/sh
# SPDX-License-Identifier: MIT
# What gcc, clang and cppcheck find by looking at the sources of the library, of the
# sequence counters and of srcutorture: nothing.  What is not installed is skipped, and
# said.
top=$(cd "$(dirname "$0")/.." && pwd) || exit 99
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
ran=0 status=0

cat >config.h <<END
#define PACKAGE_VERSION "0"
#define SRCU_FANOUT 16
END
# All that the headers of the sequence counters define.
cat >headers.c <<END
#include <seqcount/latch.h>
#include <seqcount/seqcount.h>
#include <seqcount/seqlock.h>
#include <srcu/list.h>
#include <srcu/notifier.h>
END
flags="-std=gnu11 -O1 -D_GNU_SOURCE -DSRCU_BUILD -DSRCU_INLINE_READERS -pthread
	-include $work/config.h -I$top"

# tool NAME COMMAND...
tool()
{
	name=$1
	shift
	command -v "$1" >/dev/null || {
		echo "skipped: no $1"
		return
	}
	ran=$((ran + 1))
	if "$@" >log 2>&1; then
		echo "ok: $name"
	else
		echo "FAILED: $name"
		cat log
		status=1
	fi
}

# shellcheck disable=SC2317 # tool() calls it
analyse()
{
	for file in "$top"/srcu/*.c "$top"/torture/*.c headers.c; do
		# shellcheck disable=SC2086 # a list
		gcc $flags -fanalyzer -Werror -c -o /dev/null "$file" || return
	done
}

command -v gcc >/dev/null && tool "gcc -fanalyzer" analyse
# shellcheck disable=SC2086
tool "clang-tidy" clang-tidy --quiet --config-file="$top/.clang-tidy" \
	"$top"/srcu/*.c "$top"/torture/*.c headers.c -- $flags
tool "cppcheck" cppcheck --quiet --enable=warning,performance,portability --std=c11 \
	--inline-suppr --error-exitcode=1 -D_GNU_SOURCE -D__linux__ -D__x86_64__ -D__GNUC__=12 \
	-DSRCU_BUILD -include config.h -I"$top" "$top"/srcu "$top"/torture headers.c

[ "$ran" -gt 0 ] || exit 77
exit $status
