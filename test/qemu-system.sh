#!/bin/bash
# SPDX-License-Identifier: MIT
# The tests for real on aarch64: Debian's kernel for it, in qemu-system-aarch64, with
# programs that are cross-compiled.  Restartable sequences are then the kernel's own, and
# are aborted by it.
#
# usage: test/qemu-system.sh [PROGRAM...]
#
#   PROGRAM  what to run, as it is called in the build: the unit tests and test/torture.sh
#            by default
#   WORK     where to keep what is downloaded and built; build/aarch64 by default
#   QEMU     options for the emulator, such as -singlestep
#   CPUS     how many processors it has, 4 by default
#
# What it takes from Debian's mirror is unpacked in WORK: the system's packages stay as
# they are.  gcc-aarch64-linux-gnu, qemu-system-arm and cpio must be installed.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
work=${WORK:-$top/build/aarch64}
packages=(linux-image-arm64 busybox-static check libsubunit-dev)

for tool in aarch64-linux-gnu-gcc qemu-system-aarch64 cpio apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || {
		echo "skipped: no $tool"
		exit 77
	}
done
mkdir -p "$work"
cd "$work"

# A package system for arm64 beside the system's own, with its sources.
download() {
	mkdir -p apt/lists/partial apt/archives/partial debs root
	: >apt/status
	cat >apt/apt.conf <<-END
		APT::Architecture "arm64";
		APT::Architectures {"arm64";};
		APT::Sandbox::User "";
		Dir::State "$work/apt";
		Dir::State::status "$work/apt/status";
		Dir::Cache "$work/apt";
	END
	export APT_CONFIG=$work/apt/apt.conf
	apt-get update -q
	# The name without a version stands for a kernel, and has none in it.
	packages[0]=$(apt-cache depends linux-image-arm64 | sed -n 's/ *Depends: //p')
	(cd debs && apt-get download -q "${packages[@]}")
	unset APT_CONFIG
	for deb in debs/*.deb; do
		case $deb in
		*linux-image*) dpkg-deb --fsys-tarfile "$deb" | tar -x -C root ./boot ;;
		*) dpkg-deb -x "$deb" root ;;
		esac
	done
	rm -r apt debs
	touch downloaded
}

build() {
	local libs="-L$work/root/usr/lib/aarch64-linux-gnu -l:libcheck.a -l:libsubunit.a -lrt -lm"

	mkdir -p gcc
	cd gcc
	[ -f Makefile ] || PKG_CONFIG=false "$top/configure" --quiet --host=aarch64-linux-gnu \
		--enable-werror --disable-shared \
		CHECK_CFLAGS="-I$work/root/usr/include" CHECK_LIBS="$libs"
	make -s -j"$(nproc)" check TESTS=
	cd ..
}

# All that the machine has is in memory: a shell, the C library and the programs.
initramfs() {
	rm -rf machine
	mkdir -p machine/{bin,dev,lib,proc,sys,tmp}
	cp root/bin/busybox machine/bin
	for library in ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do
		cp "$(aarch64-linux-gnu-gcc -print-file-name="$library")" machine/lib
	done
	for program in "$@"; do
		mkdir -p "machine/$(dirname "$program")"
		case $program in
		*.sh) cp "$top/$program" "$top/test/program.sh" machine/test ;;
		*) aarch64-linux-gnu-strip -o "machine/$program" "gcc/$program" ;;
		esac
	done
	mkdir -p machine/torture
	aarch64-linux-gnu-strip -o machine/torture/srcutorture gcc/torture/srcutorture
	printf '%s\n' "$@" >machine/programs
	cat >machine/init <<-'END'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin TMPDIR=/tmp TORTURE_SECONDS=60 CK_VERBOSITY=normal CK_TIMEOUT_MULTIPLIER=20
		mount -t proc proc /proc
		mount -t sysfs sys /sys
		mount -t devtmpfs dev /dev
		mount -t tmpfs tmp /tmp
		ulimit -c 0
		uname -a
		failed=0
		for program in $(cat /programs); do
			echo "running $program"
			start=$(cut -d. -f1 /proc/uptime)
			/$program >/tmp/log 2>&1
			status=$?
			time=$(($(cut -d. -f1 /proc/uptime) - start))
			case $status in
			0) echo "PASS: $program ($(tail -n 1 /tmp/log)) $time s" ;;
			77) echo "SKIP: $program" ;;
			*)
				echo "FAIL: $program, status $status, $time s"
				cat /tmp/log
				failed=1
				;;
			esac
		done
		echo "machine: $([ $failed = 0 ] && echo all passed || echo failures)"
		poweroff -f
	END
	chmod +x machine/init
	(cd machine && find . | cpio --quiet -o -H newc | gzip -1) >initramfs
}

[ -f downloaded ] || download
build
if [ $# = 0 ]; then
	mapfile -t programs < <(make -s -C gcc -f - print <<-'END'
		include Makefile
		print:
			@printf '%s\n' $(UNIT_TESTS) test/seqcount-test test/cxx-test test/torture.sh
	END
	)
	set -- "${programs[@]}"
fi
initramfs "$@"
# shellcheck disable=SC2086 # options
qemu-system-aarch64 -M virt -cpu neoverse-n1 -smp "${CPUS:-4}" -m 2G -nographic -no-reboot -nic none ${QEMU:-} \
	-kernel root/boot/vmlinuz-* -initrd initramfs -append 'console=ttyAMA0 quiet panic=-1' |
	tee console
grep -q '^machine: all passed' console
