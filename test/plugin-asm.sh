#!/bin/sh
# SPDX-License-Identifier: MIT
# An object that can be unloaded has no restartable sequence in it and calls the
# readers; one that says that it never is has them, and no destructor for its domains.
objdump=${OBJDUMP:-objdump}
plugin=test/.libs/plugin.so
inline=test/.libs/plugin-inline.so
status=0

complain()
{
	echo "$*"
	status=1
}

# has PATTERN OBJDUMP-OPTIONS...: in what objdump says?
has()
{
	pattern=$1
	shift
	"$objdump" "$@" | grep -q -- "$pattern"
}

if [ ! -f "$plugin" ]; then
	echo "skipped: shared objects are not built"
	exit 77
fi
has __rseq -h "$plugin" && complain "$plugin has restartable sequences"
for function in __srcu_read_lock __srcu_read_unlock __srcu_read_lock_fast \
	__srcu_read_unlock_fast srcu_unload_; do
	has " $function\$" -T "$plugin" || complain "$plugin does not call $function()"
done
has ' srcu_unload_$' -T "$inline" && complain "$inline calls srcu_unload_()"
if "$objdump" -h .libs/libsrcu.so | grep -q __rseq; then
	has __rseq -h "$inline" || complain "$inline has no restartable sequences"
fi
exit $status
