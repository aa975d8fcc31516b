#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build Debian packages of the kernel with the series into build/deb/, with the
# kernel's own "make bindeb-pkg".
#
# KCONFIG=file is the configuration of a machine, such as /boot/config-...; options
# that are new get their defaults. It gets those that DMA isolation needs, and loses
# the keys of whoever built that kernel, and the debugging information, unless
# DEBUG_INFO=1. Without KCONFIG it is kernel.config and debian.config: enough for a
# Debian system on a QEMU machine. KCONFIG_EXTRA=file adds to either.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/kbuild.sh"

kconfig=${KCONFIG:-}
[ -z "$kconfig" ] || [ -r "$kconfig" ] || die "KCONFIG=$kconfig cannot be read"
[ -z "$kconfig" ] || grep -q '^CONFIG_ARM64=y' "$kconfig" ||
	die "KCONFIG=$kconfig is no configuration of an arm64 kernel"

lock deb
# The packages are put beside the object directory. A machine's configuration has one
# of its own, so that no two are compiled over each other.
top=$SERIES/deb${kconfig:+-own}
obj=$top/obj
mkdir -p "$obj"

configure() {	# the goal that makes .config of "fragment"
	kmake "$TREE" "$obj" "$@" >"$obj/config.log" 2>&1 ||
		die "configuring $obj failed: $(grep -m1 -i error "$obj/config.log"); see $obj/config.log"
}

if [ "$kconfig" ]; then
	cat >"$obj/fragment" <<-EOF
		CONFIG_LOCALVERSION="-pkvm-smmu"
		CONFIG_VIRTUALIZATION=y
		CONFIG_KVM=y
		CONFIG_ARM_SMMU_V3_PKVM=y
	EOF
	# As a module it needs an initramfs, which such a machine has.
	grep -q '^CONFIG_ARM_SMMU_V3=[ym]' "$kconfig" || echo CONFIG_ARM_SMMU_V3=y >>"$obj/fragment"
	cat "${KCONFIG_EXTRA:-/dev/null}" >>"$obj/fragment"
	# Keys that are files, but not of this tree, would stop the build.
	drop='(SYSTEM_TRUSTED_KEYS|SYSTEM_REVOCATION_KEYS|MODULE_SIG_KEY)="[^"]'
	if [ -z "${DEBUG_INFO:-}" ]; then
		drop="$drop|DEBUG_INFO(_[A-Z0-9_]*)?="
		echo CONFIG_DEBUG_INFO_NONE=y >>"$obj/fragment"
	fi
	grep -vE "^CONFIG_($drop)" "$kconfig" | cat - "$obj/fragment" >"$obj/.config"
	configure olddefconfig
else
	{
		grep -v -e KUNIT -e DMA_MAP_BENCHMARK "$REPO/scripts/kernel.config"
		cat "$REPO/scripts/debian.config" "${KCONFIG_EXTRA:-/dev/null}"
	} >"$obj/fragment"
	configure KCONFIG_ALLCONFIG="$obj/fragment" allnoconfig
fi
missing=$(kconfig_missing "$obj" | xargs)
[ -z "$missing" ] || die "the kernel's Kconfig does not give what ${kconfig:-scripts/debian.config} is to have: $missing"

release=$(kmake "$TREE" "$obj" -s kernelrelease)
echo "deb: building $release in $obj"
rm -f "$top"/*.deb
profiles="pkg.linux-upstream.nokerneldbg"
# What modules are compiled against has programs of the machine's own: they want its
# compiler, and its libraries.
[ -z "$CROSS" ] || profiles="$profiles pkg.linux-upstream.nokernelheaders"
KDEB_CHANGELOG_DIST=unstable DPKG_DEB_COMPRESSOR_TYPE=xz DEB_BUILD_PROFILES=$profiles \
	kmake "$TREE" "$obj" KBUILD_VERBOSE=0 bindeb-pkg 2>&1 |
	tee "$obj/build.log" | progress deb ||
	die "the packages do not build; see $obj/build.log"

mkdir -p "$REPO/build/deb"
rm -f "$REPO"/build/deb/*.deb
# The headers of user space are those of the machine's Debian.
for deb in "$top"/linux-image-*.deb "$top"/linux-headers-*.deb; do
	[ ! -e "$deb" ] || cp "$deb" "$REPO/build/deb/"
done
ls "$REPO"/build/deb/linux-image-*.deb >/dev/null 2>&1 || die "bindeb-pkg made no package; see $obj/build.log"
echo "deb: on the machine: dpkg -i" "$(cd "$REPO" && echo build/deb/*.deb)"
