#!/bin/sh
# SPDX-License-Identifier: MIT
# gdb's commands on a live process and on its core file: domains, readers with thread and
# call site, callbacks by function.  Runs in a build folder.
: "${srcdir:=.}"
target=test/gdb-target
command -v gdb >/dev/null || {
	echo "skipped: gdb is not installed"
	exit 77
}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

if nm "$target" test/.libs/gdb-target 2>/dev/null | grep -q '__[at]san_init'; then
	echo "skipped: a sanitizer's shadow memory would be in the core file"
	exit 77
fi

# gdb on the program, which libtool may have behind a script.
debug() {
	DEBUGINFOD_URLS='' ./libtool --mode=execute gdb -nx -batch -iex 'set auto-load no' \
		-ex 'set confirm off' -ex "source $srcdir/srcu/srcu-gdb.py" "$@" 2>&1
}

debug -ex 'break stop_here' -ex run -ex 'python print("stopped")' -ex 'srcu domains' \
	-ex 'srcu readers &watched' -ex 'srcu readers plain' -ex 'srcu backlog &busy' \
	-ex "generate-core-file $work/core" "$target" >"$work/live"
if ! grep -q 'Breakpoint 1, stop_here' "$work/live"; then
	cat "$work/live"
	grep -qi 'ptrace\|personality\|not permitted' "$work/live" && {
		echo "skipped: gdb may not run a program"
		exit 77
	}
	exit 1
fi
debug -ex 'python print("stopped")' -ex 'srcu domains' -ex 'srcu readers &watched' \
	-ex 'srcu readers plain' -ex 'srcu backlog &busy' -ex 'srcu readers' \
	-ex 'srcu backlog main' "$target" "$work/core" >"$work/core.out"

status=0
# expect FILE PATTERN: a line that begins and ends so.
expect() {
	sed '1,/^stopped$/d' "$1" | grep -Eqx "$2" || {
		echo "not in the answers about the $(basename "$1" .out): $2"
		status=1
	}
}
at='\(0x[0-9a-f]+\)'
for file in "$work/live" "$work/core.out"; do
	expect "$file" "domain 'plain' $at: 3 reader\(s\); 0 grace periods, none under way; 0 callback\(s\) left.*"
	expect "$file" "domain 'watched' $at: 1 reader\(s\); .*; 0 callback\(s\) left; .*debug mode"
	expect "$file" "domain 'busy' $at: 1 reader\(s\); grace period [0-9]+ waits for rank [01]; 5 callback\(s\) left; .*callbacks by the caller.*"
	expect "$file" "domain 'watched' $at: 0 grace periods, none under way"
	expect "$file" "  rank 0, current: 1 open"
	expect "$file" "  rank 0, current: 3 open"
	expect "$file" "    (CPU [0-9]+|twin): [0-9]+ locks, [0-9]+ unlocks"
	expect "$file" "  thread [0-9]+ \(gdb's [0-9]+\): srcu_read_lock at hold_section \(gdb-target\.c(:[0-9]+)?\)"
	expect "$file" "domain 'busy' $at: 5 callback\(s\) left, 6 queued, 1 invoked"
	expect "$file" "  grace period [0-9]+: 3 of free_item \(gdb-target\.c:[0-9]+\)"
	expect "$file" "  queued( on CPU [0-9]+)?: 2 of free_other \(gdb-target\.c:[0-9]+\)"
done
if [ "$(du -m --apparent-size "$work/core" | cut -f1)" -gt 1000 ]; then
	echo "the core file has address space that is not in use"
	status=1
fi
expect "$work/core.out" "0x[0-9a-f]+ is no domain, or is not initialised"
[ "$status" = 0 ] || cat "$work/live" "$work/core.out"
exit $status
