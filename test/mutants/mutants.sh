#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Breaks the library on purpose, one mutant after another, in a copy of the
# sources, and sees that the test or model which is named for it notices; or passes,
# when the mutant is as good as the library.
# ../README.md tells what it means; the *.mutants files are lists of
#
#	mutant NAME
#	breaks WHAT, for the table
#	in FILE
#	-a line of it, there once; several in a row are one place
#	+what stands there instead
#	killed [hanging] PROGRAM [VARIABLE=VALUE]... [ARGUMENT]...
#	   or  killed model MODEL [DEFINE]...	or  killed litmus TEST
#	   or  equivalent WHY, and one of these three as what it passes, behind
#	passes
#
# with an empty line behind each.  PROGRAM is torture/srcutorture or the one with
# delays, with its arguments, or a program of unit tests, with the test case.  A time-out kills
# only where it is what the mutant is about: there it says "hanging".
#
# usage: mutants.sh [NAME]...	in the build directory; all without names
#        mutants.sh --apply	see only that the lines are there, and in the table
#        mutants.sh --table	for ../README.md
set -u
# Seconds: for a run without a mutant; and what Check has for a test.
WATCHDOG=900
CHECK_WATCHDOG=300

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$PWD/mutants
source=$work/source
build=$work/build
log=$work/log

die() {
	echo "mutants: $*" >&2
	exit 99
}

# The lists: names in order, and by name what is in them.
names=()
declare -A breaks killed equivalent passes edits
read_list() {
	local line name=''
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'mutant '*)
			name=${line#* }
			[ -z "${edits[$name]+x}" ] || die "$1: $name is there twice"
			names+=("$name")
			edits[$name]=''
			;;
		'breaks '*) breaks[$name]=${line#* } ;;
		'in '*) edits[$name]+="$line"$'\n' ;;
		[-+]*) edits[$name]+="$line"$'\n' ;;
		'killed '*) killed[$name]=${line#* } ;;
		'equivalent '*) equivalent[$name]=${line#* } ;;
		'passes '*) passes[$name]=${line#* } ;;
		'' | '#'*) ;;
		*) die "$1: what is '$line'?" ;;
		esac
	done <"$1"
}

# replace FILE OLD NEW: lines that stand there once.
replace() {
	OLD=$'\n'$2 NEW=$'\n'$3 awk '
		{ text = text "\n" $0 }
		END {
			text = text "\n"
			old = ENVIRON["OLD"]
			at = index(text, old)
			if (!at || index(substr(text, at + 1), old))
				exit 1
			text = substr(text, 1, at - 1) ENVIRON["NEW"] substr(text, at + length(old))
			printf "%s", substr(text, 2)
		}' "$source/$1" >"$source/new" && cp -f "$source/new" "$source/$1"
}

# apply NAME: its edits; the files that it changes are in $changed.
apply() {
	local line file='' old='' new='' last=' '
	changed=()
	while IFS= read -r line; do
		if [ -n "$old" ] && [[ $line != [-+]* || ($line = -* && $last = +) ]]; then
			replace "$file" "$old" "$new" ||
				die "$1: not there once in $file:"$'\n'"$old"
			old='' new=''
		fi
		case $line in
		'in '*) file=${line#* } changed+=("$file") ;;
		-*) old+=${line:1}$'\n' ;;
		+*) new+=${line:1}$'\n' ;;
		esac
		last=${line:0:1}
	done <<<"${edits[$1]}"
}

restore() {
	local file
	for file in "${changed[@]}"; do
		cp -f "$top/$file" "$source/$file"
	done
}

make_program() {
	make -C "$build" -s -j"$(nproc)" "$1" >"$log" 2>&1
}

# run PROGRAM [VARIABLE=VALUE]... [ARGUMENT]...: its status.  Its children, which timeout has
# made a group of, end with it: a mutant's may be left in an endless loop.
run() {
	local program=$1 variables=() pid status
	shift
	while [[ ${1-} = *=* && $1 != -* ]]; do
		variables+=("$1")
		shift
	done
	if [[ $program != torture/* && $# -gt 0 ]]; then
		variables+=(CK_RUN_CASE="$*")
		set --
	fi
	(cd "$build" && exec env "${variables[@]}" timeout -k 5 "$limit" "./$program" "$@") \
		>"$log" 2>&1 </dev/null &
	pid=$!
	wait "$pid"
	status=$?
	kill -KILL -- "-$pid" 2>/dev/null
	return "$status"
}

# By status and output: what became of the run?
outcome() {
	case $1 in
	0) echo passed ;;
	77) echo skipped ;;
	124 | 137) echo hung ;;
	*)
		if grep -q 'Test timeout expired' "$log" &&
			! grep -E ':[FE]:' "$log" | grep -qv 'Test timeout expired'; then
			echo hung
		else
			echo failed
		fi
		;;
	esac
}

# The unbroken library must pass what the mutants are to fail.  A test that takes
# much longer than all did here hangs.
declare -A patience_of
limit=$WATCHDOG
check_killers() {
	local name how start
	for name in "$@"; do
		how=${killed[$name]-${passes[$name]}}
		how=${how#hanging }
		case $how in 'model '* | 'litmus '*) continue ;; esac
		[ -z "${patience_of[$how]-}" ] || continue
		make_program "${how%% *}" || die "${how%% *} is not built: $(cat "$log")"
		start=$SECONDS
		# The arguments are words.
		# shellcheck disable=SC2086
		run $how || die "$how: status $? without a mutant: $(cat "$log")"
		patience_of[$how]=$((15 + 3 * (SECONDS - start)))
		printf '%-28s %-10s %4d s  %s\n' - passes $((SECONDS - start)) "$how"
	done
}

# found model MODEL [DEFINE]... or litmus TEST: what it says of the step, as it is expected to.
found() {
	local status
	case $1 in
	model) "$here/../model/models.sh" "$2" "${*:3}" ;;
	litmus) "$here/../model/litmus/litmus.sh" "$2" ;;
	esac >"$log" 2>&1
	status=$?
	if [ $status = 77 ]; then
		echo undecided
	elif [ $status != 0 ]; then
		echo 'not as expected'
	elif grep -qE "^$2 .*(fails +[0-9]+ states  ok:|Sometimes +ok$)" "$log"; then
		echo failed
	else
		echo passed
	fi
}

# build_mutant NAME HOW: the program; or for a model what has the lines that the mutant changes.
build_mutant() {
	local what=${2%% *}
	case $what in
	model | litmus)
		what=libsrcu.la
		[[ ${edits[$1]} != *'in seqcount/'* ]] || what=test/seqcount-test
		;;
	esac
	make_program "$what" || die "$1 is not built: $(cat "$log")"
}

verdict_of() {
	local how=${killed[$1]-${passes[$1]}} wanted=failed got patience
	[ -n "${killed[$1]-}" ] || wanted=passed
	[ "${how%% *}" != hanging ] || wanted=hung how=${how#* }
	build_mutant "$1" "$how"
	case $how in
	'model '* | 'litmus '*)
		# The arguments are words, here and below.
		# shellcheck disable=SC2086
		got=$(found $how)
		;;
	*)
		patience=${patience_of[$how]}
		# What is to hang need not do so in one test after another.
		[ "$wanted" = hung ] && limit=$patience || limit=$((3 * patience))
		CK_TIMEOUT_MULTIPLIER=$(awk "BEGIN { print $patience / $CHECK_WATCHDOG }")
		export CK_TIMEOUT_MULTIPLIER
		# shellcheck disable=SC2086
		run $how
		got=$(outcome $?)
		;;
	esac
	case $wanted:$got in
	passed:passed) echo equivalent ;;
	*:undecided) echo skipped ;;
	passed:*) echo "NOT EQUIVALENT ($got)" ;;
	*:failed | hung:hung) echo killed ;;
	*) echo "SURVIVED ($got)" ;;
	esac
}

for list in "$here"/*.mutants; do
	read_list "$list"
done
# The row of a mutant in ../README.md.
row() {
	local by=${killed[$1]-}
	by=${by#hanging }
	: "${by:=equivalent ${equivalent[$1]-}; passes ${passes[$1]-}}"
	printf '| %s | %s | %s |\n' "$1" "${breaks[$1]}" "$by"
}

if [ "${1-}" = --table ]; then
	for name in "${names[@]}"; do
		row "$name"
	done
	exit
fi
if [ "${1-}" = --apply ]; then
	source=$(mktemp -d) || exit 99
	trap 'rm -rf "$source"' EXIT
	cp -R "$top/srcu" "$top/seqcount" "$source" && chmod -R u+w "$source" || exit 99
	for name in "${names[@]}"; do
		apply "$name"
		restore
		grep -qxF "$(row "$name")" "$top/test/README.md" ||
			die "$name: no such row in README.md, or another: see --table"
	done
	echo "${#names[@]} mutants apply"
	exit
fi
[ $# -gt 0 ] || set -- "${names[@]}"
for name in "$@"; do
	[ -n "${edits[$name]-}" ] || die "there is no mutant $name"
	[ -n "${killed[$name]-}${passes[$name]-}" ] || die "$name: killed by what?"
done

rm -rf "$work"
mkdir -p "$build"
make -s distdir distdir=mutants/source >"$log" 2>&1 || die "no copy of the sources: $(cat "$log")"
(cd "$build" && "$source/configure" --quiet --disable-shared --disable-demo "CC=${CC:-cc}" \
	CFLAGS='-O2 -w') >"$log" 2>&1 || die "not configured: $(cat "$log")"
check_killers "$@"

wrong=0 skipped=0 dead=0 equal=0
for name in "$@"; do
	start=$SECONDS
	apply "$name"
	verdict=$(verdict_of "$name") || exit
	restore
	case $verdict in
	killed) dead=$((dead + 1)) ;;
	skipped) skipped=$((skipped + 1)) ;;
	equivalent) equal=$((equal + 1)) ;;
	*)
		wrong=$((wrong + 1))
		cp "$log" "$work/$name.log"
		;;
	esac
	printf '%-28s %-10s %4d s  %s\n%41s%s\n' "$name" "$verdict" $((SECONDS - start)) \
		"${breaks[$name]}" '' "${killed[$name]-${equivalent[$name]-}; passes ${passes[$name]-}}"
done
printf '%d killed, %d equivalent, %d skipped, %d otherwise\n' $dead $equal $skipped $wrong
[ "$wrong" = 0 ]
