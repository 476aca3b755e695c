#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared library exports what its version script names and no thread-local
# storage, under the soname that SRCU_LT_VERSION stands for; the static one adds nothing to a program's name space but srcu_ names.
: "${srcdir:=.}" "${NM:=nm}"
status=0
map=$(sed -n 's/^[[:space:]]*\([a-z_0-9]*\);$/\1/p' "$srcdir/srcu/libsrcu.map" | sort)

# current - age
soname_number() {
	sed -n 's/^AC_SUBST(\[SRCU_LT_VERSION\], \[\([0-9]*\):[0-9]*:\([0-9]*\)\])$/\1 - \2/p' \
		"$srcdir/configure.ac" | { read -r current _ age && echo $((current - age)); }
}

if [ -f .libs/libsrcu.so ]; then
	exported=$("$NM" -D --defined-only .libs/libsrcu.so | awk '$2 != "A" {print $3}' |
		sed 's/@.*//' | sort)
	if [ "$exported" != "$map" ]; then
		echo "exported and named in the version script differ:"
		printf '%s\n%s\n' "$exported" "$map" | sort | uniq -u
		status=1
	fi
	soname=$(readelf -d .libs/libsrcu.so | sed -n 's/.*SONAME.*\[\(.*\)\]$/\1/p')
	if [ "$soname" != "libsrcu.so.$(soname_number)" ]; then
		echo "the soname is $soname; configure.ac's version makes it $(soname_number)"
		status=1
	fi
	if readelf --dyn-syms --wide .libs/libsrcu.so | awk '$4 == "TLS" && $7 != "UND"' | grep .; then
		echo "thread-local storage is exported"
		status=1
	fi
fi

if [ -f .libs/libsrcu.a ]; then
	foreign=$("$NM" -g --defined-only .libs/libsrcu.a | awk 'NF == 3 {print $3}' |
		grep -vE '^(srcu_|__asan|__odr_asan|_\.stapsdt\.)' | sort | while read -r name; do
		echo "$map" | grep -qx "$name" || echo "$name"
	done)
	if [ -n "$foreign" ]; then
		echo "names in the static library that a program may use itself:"
		echo "$foreign"
		status=1
	fi
fi
exit $status
