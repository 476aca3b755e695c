#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Counts the instructions of the short operations under callgrind, in a process
# without restartable sequences, which valgrind knows nothing of: what the readers,
# the counters and call_srcu() fall back to.  The inline readers are reader-asm.sh's.
#
#   CFLAGS    what all was compiled with: the bounds are for gcc's -O2
#   VALGRIND  the program, valgrind by default
: "${VALGRIND:=valgrind}" "${CFLAGS:=}"

skip()
{
	echo "skipped: $1"
	exit 77
}

# operation: instructions at most, of one round of its loop.  The numbers were
# counted, and have a few per cent added for other versions of gcc and glibc.
bounds='
pair 293
pair_fast 254
enqueue 273
increment 112
get_state 88
poll_done 107
seq_read 13
'

[ "$(uname -m)" = x86_64 ] || skip "the bounds are for x86-64"
command -v "$VALGRIND" >/dev/null || skip "there is no valgrind"
case " $CFLAGS " in
*' -fsanitize'* | *' -fprofile'* | *' --coverage '*) skip "the build is instrumented" ;;
*' -fstack-protector'*) skip "the build is hardened" ;;
*' -O2 '*) ;;
*) skip "the bounds are for -O2" ;;
esac
program=test/instructions
[ "$("./$program" --compiler)" = gcc ] || skip "the bounds are for gcc"

out=instructions.callgrind
log=instructions.log
trap 'rm -f "$out" "$log"' EXIT
LD_BIND_NOW=1 ./libtool --quiet --mode=execute "$VALGRIND" --tool=callgrind \
	--callgrind-out-file="$out" "$program" >"$log" 2>&1 || {
	cat "$log"
	exit 1
}
callgrind_annotate --inclusive=yes --threshold=100 "$out" >"$log" || exit 99
echo "$bounds" | awk -v log_file="$log" '
	function wrong(what)
	{
		print what
		failed = 1
	}
	BEGIN {
		while ((getline line < log_file) > 0)
			if (match(line, /:loop_[a-z_]+ \[/)) {
				name = substr(line, RSTART + 6, RLENGTH - 8)
				split(line, field)
				gsub(/,/, "", field[1])
				counted[name] = int(field[1] / 1000)
			}
	}
	NF {
		if (!($1 in counted))
			wrong("no instructions were counted of " $1)
		else if (counted[$1] > $2)
			wrong($1 ": " counted[$1] " instructions, more than " $2)
		else
			print $1 ": " counted[$1] " instructions, bound " $2
	}
	END { exit failed }'
