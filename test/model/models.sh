#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Checks the models with SPIN, and that each model notices when a step is left
# out: a mutant that passes is a failure.  Prints the states that were searched.
#
# usage: models.sh [MODEL DEFINES]	the table below, or that line of it
set -u
cd "$(dirname "$0")" || exit
here=$PWD

# model, what is left out or added, expected verdict, what the line shows
table() {
	cat <<'END'
gp.pml||holds|M once, both ranks, mark, twin; 2 readers of a section each, 2 grace periods
gp.pml|MIGRATION|holds|sections that move to another CPU
gp.pml|MIGRATION READERS=3 GRACE_PERIODS=1|holds|3 readers, 1 grace period
gp.pml|SECTIONS=2 GRACE_PERIODS=1|holds|2 sections of each reader, 1 grace period
gp.pml|NO_M|fails|M
gp.pml|M_AFTER_SCAN|fails|M before the sums
gp.pml|L_BEFORE_U|fails|U before L
gp.pml|MIGRATION ONE_PASS|fails|U and L in two passes
gp.pml|ONE_RANK|fails|both ranks
gp.pml|FLIP_WITHOUT_WAIT|fails|the other rank first
gp.pml|NO_FINAL_WAIT|fails|the old rank after the flip
gp.pml|MIGRATION NO_MARK_RELOAD|fails|K: the mark once more, after U
gp.pml|ONE_CPU GRACE_PERIODS=1|holds|2 readers on a CPU that has not been seen
gp.pml|ONE_CPU GRACE_PERIODS=1 MARK_FIRST|fails|K: scans cover it before readers count on it
gp.pml|NO_TWIN|fails|the twin in both passes
share.pml||holds|started and done; 2 updaters, 2 readers
share.pml|NO_S|fails|S; another caller's M does not replace it
share.pml|JOIN_RUNNING|fails|started + 1, never the one under way
share.pml|START_AFTER_M|fails|started before M
funnel.pml||holds|the combining tree; 3 callers, 2 leaves, time-outs
funnel.pml|NO_WAKE|fails|who comes back wakes those who stopped
funnel.pml|NO_TAKE_BACK|fails|who gives up takes the number back
lists.pml||holds|a CPU's two lists; 3 pushes
lists.pml|NO_C|fails|C: pushes under way are aborted
lists.pml|NO_TURN|fails|lists_ is turned before
asleep.pml||holds|the grace-period thread lets go; 2 pushers
asleep.pml|NO_W|fails|W: plain pushes are seen
asleep.pml|BLIND_LEAVE|fails|inactive only if nobody came
asleep.pml|NO_LOOK_BACK|fails|a look at the lists behind W
asleep.pml|BELL_LATE|fails|the bell is read before the look
look.pml||holds|who asks for a look is heard
look.pml|OVERWRITE|fails|look_ is changed only if nobody asked
fork.pml||holds|a fresh slot in the child
fork.pml|KEEP_SLOT|fails|sections of threads that are not there
fork.pml|ZERO_SLOT|fails|the token of an inherited section
weak-gp.pml||holds|C11's memory; 2 sections, a grace period, a third thread
weak-gp.pml|FENCED|holds|the same in a fenced domain
weak-gp.pml|NO_M|fails|M
weak-gp.pml|NO_R|fails|R: release
weak-gp.pml|NO_U|fails|U: acquire
weak-gp.pml|NO_F|fails|F: towards third threads
weak-gp.pml|FENCED NO_M|fails|M: the updater's own fence
weak-gp.pml|FENCED NO_B|fails|B: the reader's fence
weak-gp.pml|FENCED NO_F|fails|F
weak-share.pml||holds|C11's memory; a section, 2 callers who share
weak-share.pml|D_LOAD_RELAXED|holds|F is an acquire fence behind D's load
weak-share.pml|STARTED_RELAXED|holds|S and M order started
weak-share.pml|NO_S|fails|S
weak-share.pml|START_AFTER_M|fails|started before M
weak-share.pml|FENCED|holds|the same in a fenced domain
weak-share.pml|FENCED NO_M|fails|M: S does not replace it
weak-share.pml|NO_D_RELEASE|fails|D: release
weak-seqcount.pml||holds|C11's memory; a counter, 2 writes, a read
weak-seqcount.pml|NO_SQ1|fails|SQ1: release fence behind the odd value
weak-seqcount.pml|NO_SQ2|fails|SQ2: release
weak-seqcount.pml|NO_SQ3|fails|SQ3: acquire
weak-seqcount.pml|NO_SQ4|fails|SQ4: acquire fence before the second look
weak-seqcount.pml|BARRIER|holds|raw_write_seqcount_barrier()
weak-seqcount.pml|BARRIER NO_SQ5|fails|SQ5
weak-seqcount.pml|INVALIDATE|holds|write_seqcount_invalidate()
weak-seqcount.pml|INVALIDATE NO_SQ6|fails|SQ6
weak-seqcount.pml|LATCH|holds|a latch, 2 writes, a read
weak-seqcount.pml|LATCH NO_SL1|fails|SL1
weak-seqcount.pml|LATCH NO_SL2|fails|SL2
weak-seqcount.pml|LATCH NO_SQ3|fails|SL3
weak-seqcount.pml|LATCH NO_SQ4|fails|SL4
progress.pml||holds|grace periods end while 2 readers go on for ever
progress.pml|NO_FLIP|fails|the flip
progress.pml|FLIP_AT_ONCE|fails|the other rank first
END
}

for tool in spin gcc; do
	if ! command -v "$tool" >/dev/null; then
		echo "models: skipped: there is no $tool"
		exit 77
	fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# verify MODEL DEFINE...: prints the verdict and the number of states
verify() {
	local model=$1 safety=(-DSAFETY) options=()
	shift
	if [ "$model" = progress.pml ]; then
		safety=(-DNP -DNFAIR=4)
		options=(-l -f)
	fi
	(
		cd "$work" || exit
		rm -f pan* ./*.trail
		spin -a "${@/#/-D}" "$here/$model" >spin.out 2>&1 &&
			gcc -O2 -w "${safety[@]}" -o pan pan.c &&
			timeout 600 ./pan -m2000000 -n "${options[@]}" >pan.out 2>&1
		awk '
			/error: max search depth too small|out of memory/ { broken = 1 }
			/errors:/ { errors = $NF; searched = 1 }
			/states, stored/ { states = $1 }
			END {
				if (!searched || broken)
					print "broken 0"
				else
					print (errors > 0 ? "fails" : "holds"), states
			}' pan.out 2>/dev/null || echo "broken 0"
	)
}

failed=0 checked=0
while IFS='|' read -r model defines expected shows; do
	[ $# = 0 ] || [ "$1|$2" = "$model|$defines" ] || continue
	checked=$((checked + 1))
	# The defines are words.
	# shellcheck disable=SC2086
	read -r verdict states < <(verify "$model" $defines)
	if [ "$verdict" = "$expected" ]; then
		word=ok
	else
		word="NOT AS EXPECTED ($expected)"
		failed=$((failed + 1))
	fi
	printf '%-17s %-36s %s %8d states  %s: %s\n' \
		"$model" "${defines:--}" "$verdict" "$states" "$word" "$shows"
done < <(table)
[ "$checked" != 0 ] && [ "$failed" = 0 ]
