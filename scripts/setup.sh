#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Install what the build and the tests need, and nothing that is there already.
# On Debian 12 or 13, as root or through sudo.  When nothing is missing it only
# looks, without network and in no time.  QEMU older than 10 is replaced by the
# one of backports, through package lists of our own (apt.sh); one that QEMU= names
# is only looked at.
#
#	setup.sh [fuzz|coverage|bench]	also clang and its libFuzzer, or gcovr, or gnuplot
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/apt.sh"

packages="bc binutils bison build-essential ccache cpio device-tree-compiler dpkg-dev flex git
	kmod libc6-dev libelf-dev libfdt-dev libssl-dev make perl python3 python3-docutils rsync sparse
	xz-utils debian-archive-keyring"
[ "${1:-}" != coverage ] || packages="$packages gcovr"
[ "${1:-}" != bench ] || packages="$packages gnuplot-nox"
[ -z "$CROSS" ] || packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross"

missing() {
	local p
	for p; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

# Major version of QEMU: the one that is there, and the one that apt would install.
qemu_installed() { "${QEMU:-qemu-system-aarch64}" --version 2>/dev/null | sed -n 's/^QEMU.* version \([0-9]*\).*/\1/p'; }
qemu_offered() { apt_version qemu-system-arm "$@" | sed 's/^[0-9]*://; s/[^0-9].*//'; }

# Can clang make a program with libFuzzer and the sanitizers?
can_fuzz() {
	local ok=0 dir
	dir=$(mktemp -d)
	echo 'int LLVMFuzzerTestOneInput(const char *p, long n) { return 0; }' |
		clang -fsanitize=fuzzer,address,undefined -w -x c -o "$dir/a" - 2>/dev/null || ok=1
	rm -r "$dir"
	return $ok
}

fuzz=
[ "${1:-}" != fuzz ] || can_fuzz || fuzz=1

# shellcheck disable=SC2086 # a list of names
need=$(missing $packages | xargs)
qemu=$(qemu_installed || :)
[ -z "${QEMU:-}" ] || [ "${qemu:-0}" -ge 10 ] ||
	die "QEMU=$QEMU is ${qemu:-no QEMU}: name one of version 10 or later"
[ -n "$need$fuzz" ] || [ "${qemu:-0}" -lt 10 ] || exit 0

command -v apt-get >/dev/null || die "this needs Debian 12 or 13 (no apt-get here)"
case $(debian_codename) in
bookworm|trixie) ;;
*) echo "warning: only tried on Debian 12 and 13" >&2 ;;
esac

if [ "$(id -u)" = 0 ]; then
	sudo=
elif command -v sudo >/dev/null; then
	sudo=sudo
else
	die "not root and no sudo: as root, run 'make setup', or install: $need qemu-system-arm (>= 10)"
fi

install() {	# [apt option...] package...
	# shellcheck disable=SC2086 # empty or "sudo"
	DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq -y --no-install-recommends \
		-oDpkg::Use-Pty=0 -oAcquire::Retries=3 install "$@" >"$log" 2>&1 ||
		die "apt-get install failed: $(grep -m1 '^E:' "$log" || tail -1 "$log")"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "setup: updating the package lists"
updated=1
$sudo apt-get -q -oAPT::Update::Error-Mode=any update >"$log" 2>&1 || updated=

# Its runtime is a package of its own, with clang's version in the name.
if [ -n "$fuzz" ]; then
	rt=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p' | head -1)
	need="$need clang ${rt:-libclang-rt-dev}"
fi

for p in $need; do
	[ -z "$(apt_version "$p")" ] || continue
	[ -n "$updated" ] || die "cannot update the package lists: $(grep -m1 '^[EW]:' "$log"); check the network and run again"
	die "package $p is not in the archive: does apt have the 'main' of this Debian among its sources?"
done
if [ -n "$need" ]; then
	echo "setup: installing $need"
	# shellcheck disable=SC2086
	install $need
fi

if [ "${qemu:-0}" -lt 10 ]; then
	offered=$(qemu_offered)
	if [ "${offered:-0}" -ge 10 ]; then
		echo "setup: installing qemu-system-arm"
		install qemu-system-arm
	else
		codename=$(debian_codename)
		echo "setup: installing qemu-system-arm from $codename-backports"
		apt_view qemu native "$codename" "$codename-backports"
		offered=$(qemu_offered "${APT[@]}" -t "$codename-backports")
		[ "${offered:-0}" -ge 10 ] ||
			die "QEMU is too old: need 10, have '${qemu:-none}', and $codename-backports offers '${offered:-none}'; install QEMU >= 10 by hand"
		install "${APT[@]}" -t "$codename-backports" qemu-system-arm
	fi
	hash -r
	qemu=$(qemu_installed || :)
	[ "${qemu:-0}" -ge 10 ] ||
		die "QEMU is too old: $(command -v qemu-system-aarch64) is ${qemu:-none}, and is first in PATH; remove it from there"
fi
