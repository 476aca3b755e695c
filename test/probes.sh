#!/bin/sh
# SPDX-License-Identifier: MIT
# A library that was built with <sys/sdt.h> has the probes that srcu(7) lists, and
# no others.
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
