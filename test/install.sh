#!/bin/sh
# SPDX-License-Identifier: MIT
# The installed copy as a user finds it: README.md's programs, built through
# pkg-config, with the shared library; each public header by itself, as C and as C++;
# beside liburcu's where they are there; the examples, by their makefile, also
# linked statically.
: "${srcdir:?}" "${CC:?}" "${CXX:?}" "${libdir:?}"
PKG_CONFIG_PATH=$libdir/pkgconfig
LD_LIBRARY_PATH=$libdir
export PKG_CONFIG_PATH LD_LIBRARY_PATH
work=$(mktemp -d) || exit 99
server=
trap 'rm -rf "$work"; [ -z "$server" ] || kill -9 "$server"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}

# README.md's programs, as readme1.c and so on.
awk -v work="$work" '
	/^```/ { file = $0 == "```c" ? work "/readme" ++n ".c" : ""; next }
	file { print >file }' "$srcdir/README.md"
for program in readme1 readme2; do
	# shellcheck disable=SC2046,SC2086
	$CC $CFLAGS -Wall -Wextra -o "$work/$program" "$work/$program.c" \
		$(pkg-config --cflags --libs srcu) -pthread || fail "README.md: $program does not build"
done
"$work/readme1" || fail "README.md's first program fails"

# The second one says a line for each configuration, and no more before the next signal.
says() {
	line=$(timeout 60 head -n 1 <&3)
	# shellcheck disable=SC2254 # a pattern
	case $line in
	$1) ;;
	*) fail "README.md's second program says '$line' and not '$1'" ;;
	esac
}
mkfifo "$work/said"
echo hello >"$work/greeting"
"$work/readme2" "$work/greeting" >"$work/said" &
server=$!
exec 3<"$work/said"
says 'now: hello'
echo goodbye >"$work/greeting"
kill -HUP "$server"
says 'now: goodbye'
kill "$server"
says '[0-9]* requests'
wait "$server" || fail "README.md's second program fails"
server=
exec 3<&-

for header in srcu/srcu.h srcu/percpu.h srcu/list.h srcu/notifier.h srcu/urcu-compat.h seqcount/seqcount.h \
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

if pkg-config --exists liburcu; then
	for header in urcu.h urcu/rculist.h urcu/rcuhlist.h urcu/rculfhash.h urcu/wfcqueue.h \
		srcu/srcu.h srcu/list.h srcu/notifier.h seqcount/seqlock.h; do
		echo "#include <$header>"
	done >"$work/both.c"
	# shellcheck disable=SC2046,SC2086
	$CC $CFLAGS -Wall -Wextra -Werror -c -o "$work/both.o" "$work/both.c" \
		$(pkg-config --cflags liburcu srcu seqcount) || fail "not to be included beside liburcu"
	for flavor in "" urcu.h; do
		for header in $flavor urcu/rculist.h srcu/urcu-compat.h urcu/rcuhlist.h urcu/uatomic.h; do
			echo "#include <$header>"
		done >"$work/lists.c"
		# shellcheck disable=SC2046,SC2086
		$CC $CFLAGS -Wall -Wextra -Werror -c -o "$work/both.o" "$work/lists.c" \
			$(pkg-config --cflags liburcu srcu) 2>"$work/errors"
		case $flavor,$? in
		,0) ;;
		urcu.h,1) grep -q 'include <srcu/urcu-compat.h> instead' "$work/errors" ;;
		*) false ;;
		esac || fail "srcu/urcu-compat.h behind $flavor and lists of liburcu"
	done
fi

INSTALLED=yes
export srcdir CC CXX CFLAGS CXXFLAGS INSTALLED
sh "$srcdir/test/examples.sh" || fail "the examples"
if [ -f "$libdir/libsrcu.a" ]; then
	LDFLAGS=-static sh "$srcdir/test/examples.sh" ||
		fail "the examples, linked statically"
fi
echo "installed copy: ok"
