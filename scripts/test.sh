#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs all tests; T=name only some. See test.py for which, and what they are. Builds
# the kernels that those boot.
set -eu
. "$(dirname "$0")/env.sh"
# The variant that "make debug" builds
variant=debug
case ${PAGE:-} in 14 | 16) variant=debug$PAGE ;; esac
OBJ_DEBUG=$SERIES/obj-$variant
export OBJ_DEBUG

kernels=$(python3 -B "$REPO/scripts/test.py" --kernels)
case $kernels in
*debug*) ;;
*) [ "$variant" = debug ] || die "PAGE=$PAGE is for T=debug*: nothing else has such pages" ;;
esac
build() { make --no-print-directory -C "$REPO" "$1"; }
for kernel in $kernels; do
	initramfs=$INITRAMFS-$kernel-$KEY.cpio.gz
	case $kernel in
	tree)	build tree ;;
	base)	build base
		"$REPO/scripts/initramfs.sh" "$initramfs" "$OBJ_BASE" ;;
	series)	build kernel
		"$REPO/scripts/initramfs.sh" "$initramfs" "$OBJ_SERIES" ;;
	debug)	build debug
		OBJ=$variant "$REPO/scripts/initramfs.sh" "$initramfs" "$OBJ_DEBUG" ;;
	esac
done
exec python3 -B "$REPO/scripts/test.py"
