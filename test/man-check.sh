#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages: each is well-formed, everything public has one, and each is
# about something that is in a header; and the headers' comments.  An alias page names
# its target, which names the alias.  srcdir is the top of the source tree.
set -u

top=${srcdir:-.}
headers=$(sed -n "/include_HEADERS/,/[^\\\\]\$/s,^\t\([^ ]*\).*,$top/\1,p" "$top"/srcu/srcu.am \
	"$top"/seqcount/seqcount.am)
map=$top/srcu/libsrcu.map
# For the headers themselves, though their names do not end in an underscore.
internal="SRCU_API SRCU_TSAN SRCU_RSEQ_INLINE SRCU_RSEQ_OP"
failures=0

command -v "${MANDOC:-mandoc}" >/dev/null || {
	echo "mandoc is not installed"
	exit 77
}

complain()
{
	echo "man-check: $*" >&2
	failures=$((failures + 1))
}

# What an alias page points to, or nothing.
alias_target()
{
	sed -n '1s,^\.so man[0-9]/,,p' "$1"
}

# Exported functions that users call by their names.
exported_symbols()
{
	sed -n 's/^\t\([a-z][a-z0-9_]*\);$/\1/p' "$map" | grep -v '_$'
}

# The names before the dash in the headers' doc comments; a comment may begin on
# the line of its slash or on the next.
documented_names()
{
	# shellcheck disable=SC2086 # a list of files
	sed -n -e '/^\/\*\*$/{n;s/^ \* //;s/ - .*//p;}' -e 's/^\/\*\* \(.*\) - .*/\1/p' $headers |
		tr ',' '\n' | sed 's/^ *//'
}

# The headers without their comments.
header_code()
{
	# shellcheck disable=SC2086 # a list of files
	sed -e 's,/\*.*\*/,,' -e '/\/\*/,/\*\//d' $headers
}

# Macros for users: not those that end in an underscore, or guard a header.
macros()
{
	for macro in $(header_code | sed -n "s/^#define \([A-Za-z0-9_]*\)$1.*/\1/p" | sort -u); do
		case $macro in
		*_ | *_H | *_HPP) ;;
		*) case " $internal " in *" $macro "*) ;; *) echo "$macro" ;; esac ;;
		esac
	done
}

enumerators()
{
	header_code | sed -n '/^enum .*{/,/}/s/^\t\([A-Z_0-9]*\)[, ].*/\1/p' | grep -v '_$'
}

# The names that a page is about, without those of its text.
page_names()
{
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([^ ]*\).*/\1/p' "$1"
}

# Each name has its page, and what looks like a page of ours is there.
check_references()
{
	case $1 in
	*.3) for name in $(page_names "$1"); do
		[ -f "$top/man/$name.3" ] || complain "$1: no page under the name $name"
	done ;;
	esac
	sed -n 's/^\.Xr \([^ ]*\) \([137]\).*/\1.\2/p' "$1" | sort -u >"$work/references"
	while read -r name; do
		case $name in
		*srcu* | *seq* | *percpu* | *this_cpu* | SRCU* | SEQ* | irqfd*)
			[ -f "$top/man/$name" ] || complain "$1: refers to $name, which is not there"
			;;
		esac
	done <"$work/references"
}

# In the headers, what is no type, constant or definition says where it may be called
# and whose idea it is.
check_comments()
{
	awk '
	/^\/\*\*/ { comment = ""; inside = 1 }
	inside { comment = comment $0 "\n" }
	inside && /\*\// {
		inside = 0
		if (comment ~ /^\/\*\*[ \n*]*(struct|enum|NUM_)/ || comment ~ /_t - / ||
			comment ~ / - (define|initialisers?|the initial value)[ \n]/)
			next
		if (comment !~ /\* Context[ :,]/ || comment !~ /\* Origin:/) {
			print FILENAME ":" FNR
			failed = 1
		}
	}
	END { exit failed }' "$1" || complain "$1: comments without Context or Origin"
}

check_form()
{
	"${MANDOC:-mandoc}" -Tlint -Wwarning "$1" || complain "$1: mandoc has complaints"
}

check_alias()
{
	target=$top/man/$2
	if [ ! -f "$target" ]; then
		complain "$1: its target $2 does not exist"
	elif ! grep -q "^\.Nm $(basename "$1" .3)\( ,\)*\$" "$target"; then
		complain "$1: $2 does not name it"
	fi
}

# A page is shipped and installed when a makefile fragment names it.
check_listed()
{
	grep -q "man/$(basename "$1")\( \\\\\)*\$" "$top"/*/*.am || complain "$1: in no makefile"
}

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
{
	header_code
	documented_names # some are made by macros
} >"$work/code"

pages=0
for page in "$top"/man/*.[137]; do
	pages=$((pages + 1))
	target=$(alias_target "$page")
	if [ -n "$target" ]; then
		check_alias "$page" "$target"
	else
		check_form "$page"
		check_references "$page"
	fi
	check_listed "$page"
done

for page in "$top"/man/*.3; do
	name=$(basename "$page" .3)
	[ -f "$top/srcu/$name" ] || grep -qw -- "$name" "$work/code" ||
		complain "$page: about nothing in a header"
done

for header in $headers; do
	case $header in
	*.hpp | */rseq-*) ;;
	*) check_comments "$header" ;;
	esac
done

names=0
for name in $(exported_symbols) $(documented_names | grep -v ' '); do
	names=$((names + 1))
	[ -f "$top/man/$name.3" ] || complain "$name has no page"
done

# What has a name of liburcu's has one page together: the names are not ours to take.
urcu=$(sed -n -e '/_(.*/d' -e 's/^\(SRCU_INLINE_\|static inline\) [^(]*[ *]\([a-z_]*\)(.*/\2/p' \
	-e 's/^#define \([a-z_]*\)(.*/\1/p' "$top/srcu/urcu-compat.h")
for name in $urcu; do
	names=$((names + 1))
	grep -q "Fn $name\>" "$top/man/urcu-compat.3" || complain "$name is not on urcu-compat(3)"
done

# A macro that takes arguments has a page, and a constant stands on one.
for name in $(macros '('); do
	! echo "$urcu" | grep -qx "$name" || continue
	names=$((names + 1))
	[ -f "$top/man/$name.3" ] || complain "the macro $name has no page"
done
for name in $(macros '[^A-Za-z0-9_(]') $(enumerators); do
	names=$((names + 1))
	cat "$top"/man/*.[37] | grep -qw -- "$name" || complain "the constant $name is on no page"
done

# Structures and enumerations are described on the pages of their functions.
for type in $(documented_names | sed -n 's/^[a-z]* \([a-z_]*\)$/\1/p'); do
	names=$((names + 1))
	grep -qw -- "$type" "$top"/man/*.3 || complain "$type is on no page"
done

# No list can be empty unless this script has gone blind.
if [ "$pages" -lt 100 ] || [ "$names" -lt 200 ]; then
	complain "found $pages pages and $names names only"
fi

echo "man-check: $pages pages, $names names, $failures failure(s)"
[ "$failures" -eq 0 ]
