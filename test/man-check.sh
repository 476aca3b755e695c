#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages: each is well-formed, everything public has one, and each is
# about something that is in a header; and the headers' comments.  An alias page names its target, which
# names the alias.  srcdir is the top of the source tree.
set -u

top=${srcdir:-.}
headers="$top/srcu/srcu.h $top/srcu/srcu.hpp $top/srcu/reader.h $top/srcu/update.h $top/srcu/notifier.h $top/srcu/list.h $top/srcu/percpu.h
	$top/seqcount/data.h $top/seqcount/counter.h $top/seqcount/locked.h $top/seqcount/seqcount.h
	$top/seqcount/latch.h $top/seqcount/seqlock.h $top/seqcount/seqlock-read.h"
map=$top/srcu/libsrcu.map
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

pages=0
for page in "$top"/man/*.[137]; do
	pages=$((pages + 1))
	target=$(alias_target "$page")
	if [ -n "$target" ]; then
		check_alias "$page" "$target"
	else
		check_form "$page"
	fi
	check_listed "$page"
done

for page in "$top"/man/*.3; do
	# shellcheck disable=SC2086 # a list of files
	grep -qw -- "$(basename "$page" .3)" $headers || complain "$page: about nothing in a header"
done

for header in "$top"/srcu/srcu.h "$top"/srcu/reader.h "$top"/srcu/update.h \
	"$top"/srcu/notifier.h "$top"/srcu/list.h "$top"/srcu/percpu.h "$top"/seqcount/*.h; do
	check_comments "$header"
done

names=0
for name in $(exported_symbols) $(documented_names | grep -v ' '); do
	names=$((names + 1))
	[ -f "$top/man/$name.3" ] || complain "$name has no page"
done

# Structures and enumerations are described on the pages of their functions.
for type in $(documented_names | sed -n 's/^[a-z]* \([a-z_]*\)$/\1/p'); do
	names=$((names + 1))
	grep -qw -- "$type" "$top"/man/*.3 || complain "$type is on no page"
done

# No list can be empty unless this script has gone blind.
if [ "$pages" -lt 40 ] || [ "$names" -lt 60 ]; then
	complain "found $pages pages and $names names only"
fi

echo "man-check: $pages pages, $names names, $failures failure(s)"
[ "$failures" -eq 0 ]
