#!/bin/sh
# SPDX-License-Identifier: MIT
# srcutorture on a library with delays at the points of srcu/inject.h: at all of
# them, on the grace period's side alone, on the readers' alone, on that of callbacks
# and locks alone; with each way to count.
# SRCUTORTURE_INJECT names the program, TORTURE_SECONDS is how long each run takes.

torture=${SRCUTORTURE_INJECT:-torture/srcutorture-inject}
seconds=${TORTURE_SECONDS:-10}
gp='S:2000,M:2000,U:2000,K:2000,L:2000,RANK:2000,TURN:2000,TURNED:2000,D:2000,F:2000,CLIMB:2000'
readers='WORD:500,COUNT:500,B:500,R:500,TWIN:500,MARK:500'
callbacks='PUSH:500,TELL:500,C:2000,TAKE:2000,NUMBER:2000,INVOKE:500,W:2000'
locks='UNLOCK:2000,SLEEP:2000,WAKE:2000'
status=0

if "$torture" --duration 0.1 2>&1 | grep -q 'SRCU_INJECT'; then
	echo 'FAILED: a report without delays'
	status=1
fi
if ! SRCU_INJECT=nowhere:1 "$torture" --duration 0.1 2>&1 | grep -q "'nowhere:1' is no point"; then
	echo 'FAILED: there is no report of a point that does not exist'
	status=1
fi
for mode in none norseq nomemory nomembarrier tree,cpus=64; do
	for delays in all:500 "$gp" "$readers" "$callbacks,$locks"; do
		case $mode:$delays in
		none:* | *:all*) ;;
		*) continue ;;
		esac
		env SRCU_FORCE="$(test $mode = none || echo $mode)" SRCU_INJECT="$delays" \
			"$torture" --duration "$seconds" >inject.log 2>&1
		if test $? -eq 0 && test "$(tail -n 1 inject.log)" = SUCCESS; then
			echo "ok: SRCU_FORCE=$mode SRCU_INJECT=$delays"
		else
			echo "FAILED: SRCU_FORCE=$mode SRCU_INJECT=$delays"
			cat inject.log
			status=1
		fi
	done
done
rm -f inject.log
exit $status
