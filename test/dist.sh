#!/bin/sh
# SPDX-License-Identifier: MIT
# The tarball: made twice it is the same to the byte; it builds where there is neither
# git nor the autotools; built in two folders it installs the same files; below DESTDIR
# and the prefix only; a static program is linked by pkg-config; and uninstall leaves no
# file.  Runs in a build folder.
: "${srcdir:?}" "${MAKE:=make}"
unset MAKEFLAGS MAKELEVEL MFLAGS
work=$(mktemp -d) || exit 99
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
SOURCE_DATE_EPOCH=1700000000
export SOURCE_DATE_EPOCH

fail() {
	echo "FAILED: $*"
	exit 1
}

# tarball NAME: make one, under another name than the next.
tarball() {
	$MAKE -s dist >"$work/log" 2>&1 || {
		cat "$work/log"
		fail "make dist"
	}
	mv libsrcu-*.tar.xz "$work/$1.tar.xz"
}

tarball first
(umask 077 && tarball second) || exit 1
cmp "$work/first.tar.xz" "$work/second.tar.xz" || fail "two tarballs differ"

# Who is called though he is not to be.
mkdir "$work/bin"
for tool in git autoconf automake aclocal autoheader autom4te libtoolize; do
	printf '#!/bin/sh\necho %s >>%s/called\nexit 1\n' "$tool" "$work" >"$work/bin/$tool"
done
chmod +x "$work/bin"/*
PATH=$work/bin:$PATH

# build FOLDER: build there, and install below FOLDER/root.
build() {
	mkdir -p "$1" && tar -xJf "$work/first.tar.xz" -C "$1" --strip-components=1 || exit 1
	flags="-O2 -g -ffile-prefix-map=$1=."
	(cd "$1" && ./configure --quiet --prefix=/usr CFLAGS="$flags" CXXFLAGS="$flags" &&
		$MAKE -s -j2 && $MAKE -s install DESTDIR="$1/root") >"$work/log" 2>&1 || {
		tail -n 40 "$work/log"
		fail "the build in $1"
	}
}

build "$work/a"
build "$work/another/folder/with/a/longer/name"
[ ! -e "$work/called" ] || fail "called: $(sort -u "$work/called" | tr '\n' ' ')"
diff -r "$work/a/root" "$work/another/folder/with/a/longer/name/root" ||
	fail "two builds install different files"
outside=$(cd "$work/a/root" && find . -type f ! -path './usr/*')
[ -z "$outside" ] || fail "installed outside of the prefix: $outside"

cat >"$work/static.c" <<'END'
#include <srcu/srcu.h>
DEFINE_STATIC_SRCU(domain);
int main(void)
{
	srcu_read_unlock(&domain, srcu_read_lock(&domain));
	synchronize_srcu(&domain);
	return srcu_start_callbacks() || srcu_barrier(&domain);
}
END
PKG_CONFIG_PATH=$work/a/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/a/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
# Where pkg-config knows the folders it leaves out those that compilers look in anyway.
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
# shellcheck disable=SC2046
cc -static -o "$work/static" "$work/static.c" $(pkg-config --static --cflags --libs srcu) ||
	fail "a static program does not link"
"$work/static" || fail "the static program fails"

$MAKE -s -C "$work/a" uninstall DESTDIR="$work/a/root" >"$work/log" 2>&1 || fail "uninstall"
left=$(find "$work/a/root" ! -type d)
[ -z "$left" ] || fail "left by uninstall: $left"
echo "tarball: ok"
