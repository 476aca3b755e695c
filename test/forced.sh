#!/bin/sh
# SPDX-License-Identifier: MIT
# Run the unit tests on each fallback: no restartable sequences, by our switch
# and by glibc's, no membarrier, no per-CPU memory; on both update sides; and in
# debug mode.
# FORCED_MODES: which, if not all.  FORCED_SLOW=yes: with the tests that take long.
all='norseq nomembarrier nomemory norseq,nomembarrier classic tree,cpus=64 tunable debug'
status=0

for mode in ${FORCED_MODES-$all}; do
	case $mode in
	tunable) setting=GLIBC_TUNABLES=glibc.pthread.rseq=0 ;;
	debug) setting=SRCU_DEBUG=1 ;;
	*) setting=SRCU_FORCE=$mode ;;
	esac
	for program in ${UNIT_TESTS:?}; do
		case $program:${FORCED_SLOW-no} in
		*step-test:no | *load-test:no | *threads-test:no) continue ;;
		esac
		env "$setting" CK_VERBOSITY=minimal "./$program" >forced.log 2>&1
		case $? in
		0) echo "ok: $setting $program" ;;
		77) echo "skipped: $setting $program" ;;
		*)
			echo "FAILED: $setting $program"
			cat forced.log
			status=1
			;;
		esac
	done
	rm -f forced.log
done

if ! SRCU_FORCE=norsec "./${UNIT_TESTS%% *}" 2>&1 | grep -q "SRCU_FORCE: 'norsec' is not"; then
	echo "FAILED: a word in SRCU_FORCE that is none is not reported"
	status=1
fi
exit $status
