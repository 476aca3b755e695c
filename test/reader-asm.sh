#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Looks at the machine code of the short operations on x86-64.  The inline ones are
# in OBJ: a lock and an unlock of its pair_fast and pair_int must be straight code
# with one plain increment each, and the same instructions as its plain_fast and
# plain_int, which have no provision for debug mode or anything else; a read of 16
# bytes must be straight code too.  So must the out-of-line readers and call_srcu(),
# which are in the library's objects.
#
#   OBJ      the object file of reader-asm.c, test/reader-asm.o by default
#   LIBOBJS  where the library's are, srcu/.libs by default, or srcu
#   OBJDUMP  the disassembler, objdump by default
#
# The straight path is the one on which no conditional jump is taken; what is
# jumped to otherwise is the unusual.
set -eu

obj=${OBJ:-test/reader-asm.o}
objdump=${OBJDUMP:-objdump}
[ -d srcu/.libs ] && libobjs=srcu/.libs || libobjs=srcu
libobjs=${LIBOBJS:-$libobjs}

skip()
{
	echo "skipped: $1"
	exit 77
}

# listing_of OBJECT
listing_of()
{
	"$objdump" -d --no-show-raw-insn "$1" || {
		echo "$objdump cannot read $1" >&2
		exit 99
	}
}

listing=$(listing_of "$obj")
case $listing in
*'file format elf64-x86-64'*) ;;
*) skip "$obj is not for x86-64" ;;
esac
# Built without optimisation or for size, the readers are functions of their own;
# built with a sanitizer, its checks are on the path.
case $listing in
*'<srcu_read_lock_fast'* | *'<srcu_rseq_inc_lock_'*) skip "$obj is built without inlined readers" ;;
esac
relocations=$("$objdump" -r "$obj")
case $relocations in
*__asan_* | *__tsan_* | *__ubsan_* | *__sanitizer_* | *__gcov*) skip "$obj is instrumented" ;;
esac
case $relocations in
*__rseq_offset*) ;;
*) skip "$obj has no inline restartable sequences" ;;
esac

# check FUNCTION LIMIT LOCKS UNLOCKS: its straight path is as it must be, within LIMIT
# instructions, and has so many increments of counters.
check()
{
	printf '%s\n' "$listing" | awk -v function_name="$1" -v limit="$2" \
		-v all_locks="$3" -v all_unlocks="$4" '
	function wrong(what)
	{
		printf "%s: %s\n", function_name, what
		failed = 1
	}

	# The instructions of the function by address, and the order of addresses.
	/^[0-9a-f]+ <.*>:$/ {
		inside = $2 == "<" function_name ">:"
		next
	}
	inside && $1 ~ /^[0-9a-f]+:$/ {
		address = substr($1, 1, length($1) - 1)
		text = $0
		sub(/^[ \t]*[0-9a-f]+:[ \t]*/, "", text)
		sub(/[ \t]*#.*$/, "", text)
		insn[address] = text
		after[last] = address
		if (last == "")
			first = address
		last = address
	}

	END {
		if (first == "") {
			wrong("is not there")
			exit 1
		}
		at = first
		for (n = 1; n <= limit + 1; n++) {
			text = insn[at]
			printf "  %s\n", text
			split(text, word, /[ \t]+/)
			op = word[1]
			if (op ~ /^(ret|repz)/)
				break
			if (op == "lock" || op ~ /^xchg/ && text ~ /\(/ || op ~ /fence$/)
				wrong("is not free of locked instructions and fences: " text)
			if (op ~ /^call/)
				wrong("calls on the straight path: " text)
			if (op ~ /^inc/ && text ~ /\(/) {
				if (text ~ /\([^)]*,/)
					wrong("increments by an indexed address: " text)
				else if (text ~ /^incq? +\(%r[a-z0-9]+\)$/)
					locks++
				else if (text ~ /^incq? +0x8\(%r[a-z0-9]+\)$/)
					unlocks++
				else
					wrong("increments something else: " text)
			}
			# A jump that leaves the function has no instruction here.
			at = op == "jmp" ? word[2] : after[at]
			if (!(at in insn)) {
				wrong("leaves the function by: " text)
				break
			}
		}
		if (n > limit)
			wrong("has more than " limit " instructions on its straight path")
		if (locks + 0 != all_locks || unlocks + 0 != all_unlocks)
			wrong("has " locks + 0 " increments of locks and " unlocks + 0 \
				" of unlocks, not " all_locks " and " all_unlocks)
		printf "%s: %d instructions on the straight path, limit %d\n", function_name, n,
			limit
		exit failed
	}'
}

# The straight path as check prints it, by what the instructions do: registers may
# be others, and copied and saved more or less often.
operations()
{
	check "$1" 46 1 1 | awk '/^  / && !/^  (push|pop|mov +%[a-z0-9]+,%[a-z0-9]+$)/ { print $1 }'
}

# same FUNCTION REFERENCE
same()
{
	first=$(operations "$1")
	second=$(operations "$2")
	if [ -z "$first" ] || [ "$first" != "$second" ]; then
		echo "$1 and $2 have different instructions:"
		check "$2" 46 1 1
		return 1
	fi
	echo "$1 and $2 have the same instructions"
}

status=0
check pair_fast 36 1 1 || status=1
check pair_int 46 1 1 || status=1
same pair_fast plain_fast || status=1
same pair_int plain_int || status=1
check seq_read 28 0 0 || status=1

listing=$(listing_of "$libobjs/libsrcu_la-reader.o")
check __srcu_read_lock_fast 18 1 0 || status=1
check __srcu_read_unlock_fast 14 0 1 || status=1
check __srcu_read_lock 20 1 0 || status=1
check __srcu_read_unlock 26 0 1 || status=1

# Besides the two links and the count: the function, the mark and the sequence.
listing=$(listing_of "$libobjs/libsrcu_la-callback-list.o")
check __call_srcu 43 0 0 || status=1
exit $status
