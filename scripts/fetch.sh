#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Have the base kernel source at $KSRC, a static arm64 busybox at $BUSYBOX, and QEMU 11
# with UEFI firmware (qemu.sh): without the latter, tests that need it are skipped.
# Without KSRC= the source is Debian's linux-source-7.3; apt verifies what it
# downloads.  With KSRC=/path that tree is checked and used as it is.  Fetches
# once, and what is at its final name is complete.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/apt.sh"

lock fetch
tmp=
trap 'rm -rf "$tmp"' EXIT

fetch_source() {
	local package=linux-source-7.3 version
	echo "fetch: looking for $package in trixie-backports"
	apt_view source native trixie-backports
	version=$(apt_version $package "${APT[@]}")
	[ -n "$version" ] ||
		die "package $package is gone from trixie-backports: get a v7.3 kernel tree elsewhere and say make KSRC=/path/to/it ..."
	echo "fetch: downloading $package $version (170 MB)"
	tmp=$(mktemp -d "$CACHE/fetch.XXXXXX")
	apt_fetch "$tmp" $package
	echo "fetch: unpacking (1.8 GB)"
	dpkg-deb --fsys-tarfile "$DEB" | tar -xO ./usr/src/$package.tar.xz | tar -xJ -C "$tmp" ||
		die "cannot unpack $package: is $CACHE on a full disk?"
	mkdir -p "${KSRC%/*}"
	mv "$tmp/$package" "$KSRC"
	rm -rf "$tmp"
}

fetch_busybox() {
	echo "fetch: downloading busybox-static (arm64)"
	apt_view busybox arm64 "$(debian_codename)"
	tmp=$(mktemp -d "$CACHE/fetch.XXXXXX")
	apt_unpack "$tmp" busybox-static
	# Debian 12 has it in /bin, Debian 13 in /usr/bin.
	find "$tmp/root" -name busybox -type f -perm -100 -exec mv {} "$BUSYBOX" \;
	[ -x "$BUSYBOX" ] || die "no busybox in the package busybox-static"
	rm -rf "$tmp"
}

# Of the C libraries that the kernel's own tests want, the one that isn't there.
fetch_uuid() {
	echo "fetch: downloading uuid-dev (arm64)"
	apt_view uuid arm64 "$(debian_codename)"
	tmp=$(mktemp -d "$CACHE/fetch.XXXXXX")
	apt_unpack "$tmp" uuid-dev
	mkdir "$tmp/uuid"
	find "$tmp/root" -name libuuid.a -exec mv {} "$tmp/uuid" \;
	mv "$tmp/root/usr/include" "$tmp/uuid"
	[ -e "$tmp/uuid/libuuid.a" ] || die "no libuuid.a in the package uuid-dev"
	mv "$tmp/uuid" "$CACHE/uuid"
	rm -rf "$tmp"
}

check_source() {
	local v p
	[ -f "$KSRC/Kbuild" ] || die "KSRC=$KSRC is not a kernel source tree"
	v=$(sed -n 's/^VERSION = //p' "$KSRC/Makefile")
	p=$(sed -n 's/^PATCHLEVEL = //p' "$KSRC/Makefile")
	[ "$v.$p" = 7.3 ] || die "KSRC=$KSRC is Linux $v.$p, and this series is for 7.3: name a v7.3 tree"
	if [ -e "$KSRC/.config" ] || [ -e "$KSRC/include/config" ]; then
		die "KSRC=$KSRC has been built in: clean it with 'make mrproper' there, or name another tree"
	fi
}

if [ "$KEY" = 7.3 ] && [ ! -d "$KSRC" ]; then
	fetch_source
fi
check_source
[ -x "$BUSYBOX" ] || fetch_busybox
[ -e "$CACHE/uuid" ] || fetch_uuid
"$REPO/scripts/qemu.sh" || echo "fetch: tests that need QEMU 11 or UEFI firmware will be skipped" >&2
