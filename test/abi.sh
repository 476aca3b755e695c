#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared library has the interface of the last release: functions, their types, and
# the layout of what programs have inlined.  New functions are no difference.  Without an
# argument the library in the build tree is compared with test/abi/libsrcu.abi, the record
# of that release; "record" writes the record, for the steps of CONTRIBUTING.md.
: "${srcdir:=.}"
lib=.libs/libsrcu.so
record=$srcdir/test/abi/libsrcu.abi
command -v abidw >/dev/null || {
	echo "skipped: abidw, of abigail-tools, is not installed"
	exit 77
}
[ -f "$lib" ] || {
	echo "skipped: there is no shared library"
	exit 77
}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# What a program can see, and none of the library's own headers beside it.
mkdir "$work/srcu" || exit 99
# shellcheck disable=SC2013 # names without blanks
for header in $(sed -n '/^srcuinclude_HEADERS/,/[^\\]$/s,.*\(srcu/[a-z0-9_-]*\.h\).*,\1,p' \
	"$srcdir/srcu/srcu.am"); do
	cp "$srcdir/$header" "$work/srcu" || exit 99
done
abidw --headers-dir "$work/srcu" --drop-private-types --exported-interfaces-only \
	--no-corpus-path --no-comp-dir-path --no-show-locs --no-parameter-names --no-elf-needed \
	--out-file "$work/now.abi" "$lib" || exit 99
grep -q "<class-decl name='srcu_struct' size-in-bits=" "$work/now.abi" || {
	echo "skipped: the library has no debugging information"
	exit 77
}

if [ "${1:-}" = record ]; then
	sed '1a<!-- SPDX-License-Identifier: MIT -->' "$work/now.abi" >"$record"
	exit
fi
architecture() {
	sed -n "s/^<abi-corpus .*architecture='\([^']*\)'.*/\1/p" "$1"
}
if [ "$(architecture "$record")" != "$(architecture "$work/now.abi")" ]; then
	echo "skipped: the record is of another architecture, $(architecture "$record")"
	exit 77
fi
abidiff --no-added-syms "$record" "$work/now.abi" || {
	echo "the interface is not that of $record"
	exit 1
}
echo "the interface is that of $record"
