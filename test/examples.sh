#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples build without a warning, by their own makefile, and run.  From the
# environment: srcdir, the top of the source tree; CC, CXX, CPPFLAGS, CFLAGS, CXXFLAGS
# and LIBS, how to compile a program that uses the library; without LIBS, pkg-config
# finds it.  LDFLAGS=-static: the static one.
: "${srcdir:=.}" "${CC:=cc}" "${CXX:=c++}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cp "$srcdir"/examples/* "$work" || exit 99
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

strict="-Wall -Wextra -Wshadow -Wconversion -Werror"
set -- CC="$CC" CXX="$CXX" CFLAGS="$CFLAGS $strict" CXXFLAGS="$CXXFLAGS $strict"
[ -z "$LIBS" ] || set -- "$@" SRCU_CFLAGS="$CPPFLAGS" SRCU_LIBS="$LIBS"
# A plug-in and its program need one library in common.
if [ "$LDFLAGS" = -static ] || { [ -n "$LIBS" ] && [ ! -f .libs/libsrcu.so ]; }; then
	set -- "$@" PLUGIN=
fi
# TSan does not know liburcu's barriers, and a static liburcu is not asked for.
case $LDFLAGS,$CFLAGS in
-static,* | *-fsanitize=thread*) set -- "$@" URCU= ;;
esac
make -C "$work" -s --no-print-directory "$@" all || exit 1
timeout 300 make -C "$work" -s --no-print-directory "$@" check
