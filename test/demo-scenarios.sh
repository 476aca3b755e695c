#!/bin/sh
# SPDX-License-Identifier: MIT
# The scenarios of irqfd-demo: the model does as KVM does in each of them, and in
# random steps; where KVM cannot be used, as was recorded.  What is wrong with a
# script is said by line.  IRQFD_DEMO names the program; FORCED_SLOW is for the
# long run.

program=${IRQFD_DEMO:-irqfd-demo/irqfd-demo}
scenarios=${srcdir:-.}/irqfd-demo/scenarios
steps=2000
test -z "${FORCED_SLOW-}" || steps=100000
# shellcheck source=test/program.sh
. "${srcdir:-.}/test/program.sh"

# bad LINE TEXT: the script on standard input is refused there, with TEXT.
bad() {
	cat >"$tmp/bad.scenario"
	expect 2 play "$tmp/bad.scenario" || return
	grep -F -e "$tmp/bad.scenario:$1: " "$tmp/err" | grep -qF -e "$2" ||
		fail "no '$2' for line $1"
	test ! -s "$tmp/out" || fail "a bad script, but something on standard output"
}

# line TEXT STEP: a script of this step alone is refused.
line() {
	echo "$2" | bad 1 "$1"
}

line "no step is called 'jump'" 'jump m0'
line "a machine is missing" 'vm'
line "'m4' is not a name here" 'vm m4'
line "'e16' is not a name here" 'event e16'
line "'closed' is not a name here" 'signal closed'
line "'cpus=5' is not a value for this" 'vm m0 cpus=5'
line "'cpus=' is not a value for this" 'vm m0 cpus='
line "'cpus=0x' is not a value for this" 'vm m0 cpus=0x'
line "'cpus=-1' is not a value for this" 'vm m0 cpus=-1'
line "'cpus' is there twice" 'vm m0 cpus=1 cpus=1'
line "is there twice" 'vm m0 none split'
line "'value=18446744073709551616' is not a value" 'signal e0 value=18446744073709551616'
line "'fast' is not a part of this step" 'vm m0 fast'
line "'child' is not a part of this step" 'vm m0 child'
line "'null' is not a part of this step" 'guest-write m0 gpa=0x1000 null'
line "'null' is not a part of this step" 'show-dirty m0 id=0 null'
line "gsi= is missing" 'assign m0 e0'
line "gpa= is missing" 'slot m0 id=0 size=0 hva=0'
line "'size=0x41000' is not a value" 'slot m0 id=0 gpa=0 size=0x41000 hva=0'
line "'hva=0x20000' is not a value" 'slot m0 id=0 gpa=0 size=0 hva=0x20000'
line "a route begins with its gsi and a colon" 'route m0 24'
line "a route is to msi" 'route m0 24:apic:1'
line "too few numbers, or too many" 'route m0 24:msi:1'
line "too few numbers, or too many" 'route m0 24:ioapic:1:0:0'
line "something but numbers" 'route m0 24:ioapic:x'
line "that is no range" 'route m0 24-24:ioapic:1'
line "that is no range" 'route m0 0-0xffffffff:ioapic:1'
line "destination and vector" 'route m0 24:msi:256:0'
line "chips below 3" 'route m0 24:chip:2:0'
line "raw is for" 'route m0 24:raw:2'
line "a script can require" 'requires luck'
line "there is no such machine" 'clear m0'
line "there is no such eventfd" 'signal e0'
line "there is no such machine" 'vm-dup m0 m1'

bad 3 "the machine's name is taken" <<-END
	# A comment counts as a line.
	vm m0
	vm m0
END
bad 3 "there is no such machine" <<-END
	vm m0 # one
	vm-close m0
	vm-close m0
END
bad 3 "only the machine's CPUs are open" <<-END
	vm m0
	vm-close m0 keep-cpus
	vm-dup m1 m0
END
bad 3 "only the machine's CPUs are open" <<-END
	vm m0
	vm-close m0 keep-cpus
	vm-close m0 keep-cpus
END
bad 3 "only the machine's CPUs are open" <<-END
	vm m0
	vm-close m0 keep-cpus
	guest-write m0 gpa=0x1000
END
bad 3 "the machine's name is taken" <<-END
	vm m0
	vm-close m0 keep-cpus
	vm m0
END
bad 4 "the eventfd's name is taken" <<-END

	event e0
	event e1
	event-dup e1 e0
END
bad 3 "there is no such eventfd" <<-END
	event e0
	close e0
	close e0
END
bad 3 "there is no such eventfd" <<-END
	vm m0
	event e0
	assign m0 e0 gsi=5 resample=e1
END
bad 3 "the lowest of these flags" <<-END
	vm m0
	event e0
	assign m0 e0 gsi=5 flags=1
END
bad 2 "the machine has no such CPU" <<-END
	vm m0 cpus=1
	apic m0 cpu=1 enabled=0
END
bad 2 "the machine has no such CPU" <<-END
	vm m0 cpus=0
	guest-write m0 gpa=0x1000
END
bad 2 "the address is 0" <<-END
	vm m0
	guest-write m0 gpa=0
END
bad 2 "is said before its steps" <<-END
	vm m0
	requires global-ebusy
END

echo '# Nothing.' >"$tmp/empty.scenario"
expect 2 compare "$tmp/empty.scenario" && { grep -q 'no steps' "$tmp/err" || fail 'no message'; }
expect 2 play "$tmp/missing.scenario"
expect 2 play "$tmp"
expect 2 play
expect 2 compare
expect 2 play --backend=qemu "$tmp/empty.scenario"
expect 2 play --record "$tmp/empty.scenario"
for value in 0 x -1 '' 100000001; do
	expect 2 fuzz --steps "$value"
done
expect 2 fuzz --seed x
expect 2 fuzz 5

# What is printed of each script is the same script.
for file in "$scenarios"/*.scenario; do
	expect 0 play "$file" || continue
	cp "$tmp/out" "$tmp/once"
	{
		grep '^requires' "$file"
		sed 's/ *-> .*//' "$tmp/once"
	} >"$tmp/again.scenario"
	cp "${file%.scenario}.expected" "$tmp/again.expected"
	expect 0 play "$tmp/again.scenario" && {
		cmp -s "$tmp/once" "$tmp/out" || fail "$file: printed, it is another script"
	}
done

expect 0 compare "$scenarios"/*.scenario && {
	grep 'skipped' "$tmp/out"
	equal=$(sed -n 's/^\([0-9]*\) equal, 0 different, .*/\1/p' "$tmp/out")
	test "${equal:-0}" -ge 60 || fail "${equal:-no} scenarios were compared"
}

# Addresses are not among the 1000 devices that a bus of KVM's takes.
{
	echo 'vm m0'
	echo 'event e0'
	address=4096
	while test "$address" -lt 5296; do
		printf 'ioevent m0 e0 addr=0x%x length=4\n' "$address"
		address=$((address + 1))
	done
} >"$tmp/many.scenario"
sed 's/$/ -> 0/' "$tmp/many.scenario" >"$tmp/many.expected"
expect 0 compare "$tmp/many.scenario" && { grep -q '^1 equal' "$tmp/out" || fail '1200 ioeventfds'; }

# without_kvm COMMAND...: run it where /dev/kvm is something else.
without_kvm() {
	if test -e /dev/kvm; then
		# shellcheck disable=SC2016
		unshare -r -m sh -c 'mount --bind /dev/null /dev/kvm && exec "$@"' sh "$@"
	else
		"$@"
	fi
}

# The recordings take KVM's place; one that is wrong is found.
cp "$scenarios/a2-pic.scenario" "$tmp"
sed 's/0x20 0x0/0x21 0x0/' "$scenarios/a2-pic.expected" >"$tmp/a2-pic.expected"
if without_kvm true 2>/dev/null; then
	without_kvm "$program" compare "$scenarios"/*.scenario >"$tmp/out" 2>"$tmp/err" ||
		fail 'the model does not do as was recorded'
	grep -q '^oracle skipped' "$tmp/out" || fail 'no KVM, and nothing said'
	without_kvm "$program" compare "$tmp/a2-pic.scenario" >"$tmp/out" 2>"$tmp/err"
	test $? -eq 1 || fail 'a wrong recording was not found'
	grep -qE '^\| show-pic m0 +0x20 0x0 +0x21 0x0' "$tmp/out" || fail 'no difference printed'
	sed -i '$d' "$tmp/a2-pic.expected"
	without_kvm "$program" compare "$tmp/a2-pic.scenario" >"$tmp/out" 2>"$tmp/err"
	test $? -eq 1 || fail 'a recording of another script was not found'
	rm "$tmp/a2-pic.expected"
	without_kvm "$program" compare "$tmp/a2-pic.scenario" >"$tmp/out" 2>"$tmp/err"
	test $? -eq 1 || fail 'a missing recording was not found'
	without_kvm "$program" fuzz --steps 10 >"$tmp/out" 2>"$tmp/err" || fail 'fuzz without KVM'
	grep -q '^oracle skipped' "$tmp/out" || fail 'no KVM, and nothing said by fuzz'
else
	echo 'no way to hide /dev/kvm: the recordings were not compared'
fi

expect 0 fuzz --steps "$steps" && cat "$tmp/out"

finish
