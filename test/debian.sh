#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages: they build, lintian has no complaint, and in a fresh system they
# install, serve debian/tests and leave nothing behind.  Needs root for the fresh system
# and the mirror for what that is made of; skipped where it has neither.
top=$(cd "$(dirname "$0")/.." && pwd) || exit 99
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
for tool in dpkg-buildpackage dh lintian debootstrap; do
	command -v "$tool" >/dev/null || {
		echo "skipped: $tool is not installed"
		exit 77
	}
done
[ "$(id -u)" = 0 ] || {
	echo "skipped: not root"
	exit 77
}
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
mkdir "$work/source" "$work/root" || exit 99

fail() {
	echo "FAILED: $*"
	exit 1
}

cd "$top" || exit 99
git ls-files -z | tar -c --null -T - | tar -x -C "$work/source" || exit 99
cd "$work/source" || exit 99
# The tests have been run, or will be, by make check.
DEB_BUILD_OPTIONS="nocheck parallel=2" dpkg-buildpackage -us -uc -b >"$work/log" 2>&1 || {
	tail -n 60 "$work/log"
	fail "dpkg-buildpackage"
}
lintian --allow-root --fail-on error,warning "$work"/*.changes || fail "lintian"

# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")
debootstrap --variant=minbase --include=gcc,libc6-dev,pkg-config "$release" "$work/root" \
	"$mirror" >"$work/log" 2>&1 || {
	tail -n 5 "$work/log"
	echo "skipped: debootstrap cannot make a system here"
	exit 77
}
cp -r "$work"/*.deb debian/tests "$work/root/tmp" || exit 99
rm "$work"/root/tmp/*-dbgsym_*.deb
files() {
	find "$work/root/usr" "$work/root/etc" ! -type d ! -name ld.so.cache | sort
}
in_root() {
	chroot "$work/root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@" >"$work/log" 2>&1 || {
		tail -n 40 "$work/log"
		fail "$*"
	}
}
files >"$work/before"
in_root sh -c 'apt-get install -y -q --no-install-recommends /tmp/*.deb'
in_root /tmp/tests/consumer
in_root /tmp/tests/tools
in_root apt-get purge -y -q --autoremove libsrcu1 libsrcu-dev srcu-tools
files >"$work/after"
diff "$work/before" "$work/after" || fail "files are left, or gone"
echo "Debian packages: ok"
