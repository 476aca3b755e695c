#!/bin/sh
# SPDX-License-Identifier: MIT
# Run the unit tests on each fallback: no restartable sequences, by our switch
# and by glibc's, no membarrier, no per-CPU memory.
status=0
run() {
	for program in ${UNIT_TESTS:?}; do
		if env "$@" CK_VERBOSITY=minimal "./$program" >forced.log 2>&1; then
			echo "ok: $* $program"
		else
			echo "FAILED: $* $program"
			cat forced.log
			status=1
		fi
	done
	rm -f forced.log
}
run SRCU_FORCE=norseq
run SRCU_FORCE=nomembarrier
run SRCU_FORCE=nomemory
run SRCU_FORCE=norseq,nomembarrier
run GLIBC_TUNABLES=glibc.pthread.rseq=0
exit $status
