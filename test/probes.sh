#!/bin/sh
# SPDX-License-Identifier: MIT
# A library that was built with <sys/sdt.h> has the probes that srcu(7) lists, and
# no others; and where the kernel lets bpftrace attach to them, that page's scripts see
# something of srcutorture.
: "${srcdir:=.}" "${READELF:=readelf}"
lib=.libs/libsrcu.so
[ -f "$lib" ] || {
	echo "skipped: there is no shared library"
	exit 77
}
found=$("$READELF" -n "$lib" | awk '
	$1 == "Provider:" { provider = $2 }
	$1 == "Name:" && provider == "libsrcu" { print $2 }' | sort -u)
listed=$(sed -n 's/^\.It Li \([a-z_]*\) Ns Pq .*/\1/p' "$srcdir/man/srcu.7" | sort -u)
if [ -z "$found" ] || [ "$found" != "$listed" ]; then
	echo "found:" && echo "$found"
	echo "listed in srcu(7):" && echo "$listed"
	exit 1
fi
echo "$found"

# The script that srcu(7) has after a comment, on the library's real path.
script() {
	sed -n "/^# $1/,/'\$/p" "$srcdir/man/srcu.7" | sed "1d; s,.*-e ',,; s,'\$,,; s,LIB,$2,g"
}
lib=$(readlink -f "$lib")
[ "$(id -u)" = 0 ] && command -v bpftrace >/dev/null &&
	bpftrace -e "uprobe:$lib:init_srcu_struct { } BEGIN { exit(); }" >/dev/null 2>&1 || exit 0
out=$(mktemp) || exit 99
./libtool --mode=execute torture/srcutorture --duration=600 >/dev/null 2>&1 &
torture=$!
trap 'kill $torture; rm -f "$out"' EXIT

# seen SCRIPT: looks for a second, until there is something, a minute at most.
seen() {
	for _ in $(seq 60); do
		timeout 300 bpftrace -p $torture -e "$1 interval:s:1 { exit(); }" >"$out" 2>&1
		grep -Eq '^@(us)?(\[|:)' "$out" && return
	done
	return 1
}

for what in 'Grace periods: ' 'Updaters: ' 'Grace periods, ' 'Callbacks, ' 'Readers '; do
	seen "$(script "$what" "$lib")" || {
		echo "nothing seen by the script '$what':" && cat "$out"
		exit 1
	}
done
