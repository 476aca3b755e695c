#!/bin/sh
# SPDX-License-Identifier: MIT
# The installed copy as a user finds it: README.md's program and one of seqcount,
# built through pkg-config, with the shared library, and as C++; each public
# header by itself.
: "${srcdir:?}" "${CC:?}" "${CXX:?}" "${libdir:?}"
PKG_CONFIG_PATH=$libdir/pkgconfig
LD_LIBRARY_PATH=$libdir
export PKG_CONFIG_PATH LD_LIBRARY_PATH
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}

# shellcheck disable=SC2016
sed -n '/^```c$/,/^```$/p' "$srcdir/README.md" | sed '/^```/d' >"$work/readme.c"
grep -q main "$work/readme.c" || fail "README.md has no program"
# shellcheck disable=SC2046,SC2086
$CC $CFLAGS -Wall -Wextra -o "$work/readme" "$work/readme.c" $(pkg-config --cflags --libs srcu) -pthread ||
	fail "README.md's program does not build"
"$work/readme" || fail "README.md's program fails"

for header in srcu/srcu.h srcu/percpu.h srcu/list.h srcu/notifier.h seqcount/seqcount.h \
	seqcount/data.h seqcount/latch.h seqcount/seqlock.h; do
	module=${header%%/*}
	standard=-std=c11
	[ "$header" != seqcount/seqlock.h ] || standard="$standard -D_POSIX_C_SOURCE=200809L"
	printf '#include <%s>\n#include <%s>\nint main(void)\n{\n\treturn 0;\n}\n' "$header" "$header" \
		>"$work/alone.c"
	cp "$work/alone.c" "$work/alone.cc"
	# shellcheck disable=SC2046,SC2086
	$CC $CFLAGS $standard -Wall -Wextra -Wshadow -Wconversion -Werror -o "$work/alone" \
		"$work/alone.c" $(pkg-config --cflags --libs $module) || fail "$header in C11"
	# shellcheck disable=SC2046,SC2086
	$CXX $CXXFLAGS -std=c++17 -Wall -Wextra -Wshadow -Wconversion -Werror -o "$work/alone" \
		"$work/alone.cc" $(pkg-config --cflags --libs $module) || fail "$header in C++17"
	"$work/alone" || fail "$header"
done
printf '#include <srcu/srcu.hpp>\nint main()\n{\n\tsrcu::domain domain;\n\tsrcu::guard guard{domain};\n}\n' \
	>"$work/alone.cc"
# shellcheck disable=SC2046,SC2086
$CXX $CXXFLAGS -std=c++17 -Wall -Wextra -Wshadow -Wconversion -Werror -o "$work/alone" \
	"$work/alone.cc" $(pkg-config --cflags --libs srcu) || fail "srcu/srcu.hpp"
"$work/alone" || fail "srcu/srcu.hpp's program"
echo "installed copy: ok"
