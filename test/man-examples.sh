#!/bin/sh
# SPDX-License-Identifier: MIT
# The programs in the manual pages' EXAMPLES compile without a warning, by what
# pkg-config says of srcu and of seqcount, run and exit with 0.  From the environment:
# srcdir, the top of the source tree; builddir, that of the build tree, which stands in
# for an installed copy; CC and CFLAGS; CXX and CXXFLAGS for the pages of C++ headers.
set -u

top=${srcdir:-.}
export LD_LIBRARY_PATH="${builddir:=$PWD}/.libs"
export PKG_CONFIG_PATH="$builddir/srcu:$builddir/seqcount"
command -v pkg-config >/dev/null || {
	echo "pkg-config is not installed"
	exit 77
}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
failures=0
programs=0

complain()
{
	echo "man-examples: $*" >&2
	failures=$((failures + 1))
}

# The literal displays of a page's EXAMPLES, one file each, as $work/NUMBER.c.
extract()
{
	rm -f "$work"/*.c
	awk -v dir="$work" '
		/^\.Sh / { examples = ($2 == "EXAMPLES") }
		/^\.Ed/ { if (out) close(out); out = "" }
		out { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-"); print > out }
		examples && /^\.Bd -literal/ { out = dir "/" ++n ".c" }
	' "$1"
}

# The flags of a module; without a shared library, what it needs is needed as well.
flags_of()
{
	[ -f "$builddir/.libs/libsrcu.so" ] || set -- --static "$@"
	pkg-config --define-variable=includedir="$top" \
		--define-variable=libdir="$builddir/.libs" --cflags --libs "$@"
}

srcu_flags=$(flags_of srcu) || complain "pkg-config knows no srcu"
seqcount_flags=$(flags_of seqcount) || complain "pkg-config knows no seqcount"

run_program()
{
	case $(grep '^#include <' "$2") in
	*'<srcu/'*) flags=$srcu_flags ;;
	*) flags=$seqcount_flags ;;
	esac
	programs=$((programs + 1))
	compiler="${CC:-cc} ${CFLAGS:-}"
	case $1 in
	*.hpp.3) compiler="${CXX:-c++} ${CXXFLAGS:-} -std=c++17 -x c++" ;;
	esac
	# shellcheck disable=SC2086 # flags are lists
	if ! $compiler -Wall -Wextra -Werror -o "$work/program" "$2" $flags; then
		complain "$1: the example does not compile"
	elif ! timeout 60 "$work/program"; then
		complain "$1: the example fails"
	fi
}

for page in "$top"/man/*.[37]; do
	extract "$page"
	found=$programs
	for source in "$work"/*.c; do
		grep -q '^int main(' "$source" 2>/dev/null || continue
		run_program "$page" "$source"
	done
	case $(sed 1q "$page") in
	.so*) ;;
	*) [ "$programs" -gt "$found" ] || complain "$page: no program in EXAMPLES" ;;
	esac
done

echo "man-examples: $programs programs, $failures failure(s)"
[ "$programs" -gt 0 ] && [ "$failures" -eq 0 ]
