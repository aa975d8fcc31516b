#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Have the machines that need QEMU 11 or UEFI: in $CACHE/qemu the program qemu-system-aarch64
# and the firmware AAVMF_CODE.fd and AAVMF_VARS.fd, of Debian 13 and its backports. The
# program comes with the libraries that it wants, so that it runs on Debian 12 as well, and
# nothing is installed. Fetches once. If the QEMU of this machine, or the one that QEMU=
# names, is of version 11 or later, only the firmware is fetched.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/apt.sh"

dir=$CACHE/qemu
own=$("${QEMU:-qemu-system-aarch64}" --version 2>/dev/null |
	sed -n 's/^QEMU.* version \([0-9]*\).*/\1/p' || :)
if [ "${own:-0}" -ge 11 ]; then
	packages=
	what="UEFI firmware (5 MB)"
else
	packages=qemu-system-arm
	what="QEMU 11 and UEFI firmware (45 MB)"
fi
if [ -e "$dir/AAVMF_CODE.fd" ] && { [ -z "$packages" ] || [ -x "$dir/qemu-system-aarch64" ]; }; then
	exit
fi

lock qemu
echo "fetch: downloading $what from trixie-backports"
tmp=$(mktemp -d "$CACHE/fetch.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
apt_view qemu11 native trixie trixie-backports
new=$tmp/new
mkdir "$new"
if [ "$packages" ]; then
	# All that it depends on, as on a machine where nothing is installed
	packages=$(apt-get "${APT[@]}" -oDir::State::status=/dev/null -t trixie-backports -s \
		--no-install-recommends install qemu-system-arm | sed -n 's/^Inst \([^ ]*\) .*/\1/p')
	[ "$packages" ] || die "apt does not say what qemu-system-arm depends on"
	APT+=(-t trixie-backports)
	# shellcheck disable=SC2086 # a list of names
	apt_unpack "$tmp" $packages
	mkdir -p "$new/lib" "$new/share"
	find "$tmp/root" -name 'ld-linux-*.so.*' -exec cp -L {} "$new/loader" \; -quit
	find "$tmp/root" -path '*/lib/*' -name '*.so.*' -exec cp -a {} "$new/lib" \;
	mv "$tmp/root/usr/bin/qemu-system-aarch64" "$new/qemu"
	mv "$tmp/root/usr/share/qemu" "$new/share/"
	cat >"$new/qemu-system-aarch64" <<-'EOF'
		#!/bin/sh
		dir=$(dirname "$0")
		exec "$dir/loader" --library-path "$dir/lib" "$dir/qemu" -L "$dir/share/qemu" "$@"
	EOF
	chmod +x "$new/qemu-system-aarch64"
	"$new/qemu-system-aarch64" --version >/dev/null || die "QEMU 11 does not run here"
fi
apt_unpack "$tmp" qemu-efi-aarch64
# Images of 64 MiB, mostly of zeros
cp --sparse=always "$tmp/root/usr/share/AAVMF/AAVMF_CODE.no-secboot.fd" "$new/AAVMF_CODE.fd"
cp --sparse=always "$tmp/root/usr/share/AAVMF/AAVMF_VARS.fd" "$new/AAVMF_VARS.fd"
rm -rf "$dir"
mv "$new" "$dir"
