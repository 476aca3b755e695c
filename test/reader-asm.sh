#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Looks at the machine code of the inline readers on x86-64: a lock and an
# unlock of OBJ's pair_fast and pair_int must be straight code with one plain
# increment each, and the same instructions as its plain_fast and plain_int,
# which have no provision for debug mode or anything else.
#
#   OBJ      the object file of reader-asm.c, test/reader-asm.o by default
#   OBJDUMP  the disassembler, objdump by default
#
# The straight path is the one on which no conditional jump is taken; what is
# jumped to otherwise is the out-of-line reader.
set -eu

obj=${OBJ:-test/reader-asm.o}
objdump=${OBJDUMP:-objdump}

skip()
{
	echo "skipped: $1"
	exit 77
}

listing=$("$objdump" -d --no-show-raw-insn "$obj") || {
	echo "$objdump cannot read $obj" >&2
	exit 99
}
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

# check FUNCTION LIMIT: its straight path is as it must be, and within LIMIT
# instructions.
check()
{
	printf '%s\n' "$listing" | awk -v function_name="$1" -v limit="$2" '
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
			if (op == "lock" || op ~ /^xchg/ || op ~ /fence$/)
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
		if (locks != 1 || unlocks != 1)
			wrong("has " locks + 0 " increments of locks and " unlocks + 0 \
				" of unlocks, not one each")
		printf "%s: %d instructions on the straight path, limit %d\n", function_name, n,
			limit
		exit failed
	}'
}

# The straight path as check prints it, by what the instructions do: registers may
# be others, and copied and saved more or less often.
operations()
{
	check "$1" 46 | awk '/^  / && !/^  (push|pop|mov +%[a-z0-9]+,%[a-z0-9]+$)/ { print $1 }'
}

# same FUNCTION REFERENCE
same()
{
	first=$(operations "$1")
	second=$(operations "$2")
	if [ -z "$first" ] || [ "$first" != "$second" ]; then
		echo "$1 and $2 have different instructions:"
		check "$2" 46
		return 1
	fi
	echo "$1 and $2 have the same instructions"
}

status=0
check pair_fast 36 || status=1
check pair_int 46 || status=1
same pair_fast plain_fast || status=1
same pair_int plain_int || status=1
exit $status
