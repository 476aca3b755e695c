#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples build without a warning, by their own makefile, and run.  From the
# environment: srcdir, the top of the source tree; CC, CXX, CFLAGS and CXXFLAGS;
# INSTALLED, not empty: against the copy that pkg-config finds, and with
# LDFLAGS=-static by the static library; else the build tree stands in for one.
: "${srcdir:=.}" "${CC:=cc}" "${CXX:=c++}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cp "$srcdir"/examples/* "$work" || exit 99
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

strict="-Wall -Wextra -Wshadow -Wconversion -Werror"
set -- CC="$CC" CXX="$CXX" CFLAGS="$CFLAGS $strict" CXXFLAGS="$CXXFLAGS $strict"
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
[ "$LDFLAGS" != -static ] || PKG_CONFIG="$PKG_CONFIG --static"
if [ -z "$INSTALLED" ]; then
	[ -f .libs/libsrcu.so ] || PKG_CONFIG="$PKG_CONFIG --static"
	PKG_CONFIG="$PKG_CONFIG --define-variable=includedir=$(cd "$srcdir" && pwd)"
	PKG_CONFIG="$PKG_CONFIG --define-variable=libdir=$PWD/.libs"
	export PKG_CONFIG_PATH="$PWD/srcu" LD_LIBRARY_PATH="$PWD/.libs"
fi
export PKG_CONFIG
# A plug-in and its program need one library in common.
case $PKG_CONFIG in
*--static*) set -- "$@" PLUGIN= ;;
esac
# TSan does not know liburcu's barriers, and a static liburcu is not asked for.
case $LDFLAGS,$CFLAGS in
-static,* | *-fsanitize=thread*) set -- "$@" URCU= ;;
esac
make -C "$work" -s --no-print-directory "$@" all || exit 1
timeout 300 make -C "$work" -s --no-print-directory "$@" check
