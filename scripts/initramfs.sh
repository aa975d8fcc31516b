#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# initramfs.sh OUT.cpio.gz OBJDIR
#
# Packs what the test machine runs: busybox, guest/init, the programs of
# tools/testing/pkvm-smmu/edu, of the kernel built in OBJDIR the modules that are
# tests, and if it is one with the series, the selftests pkvm_smmu and vfio.
# Leaves OUT alone if anything fails.
set -eu
. "$(dirname "$0")/env.sh"

[ $# = 2 ] || die "usage: initramfs.sh OUT.cpio.gz OBJDIR"
out=$(realpath -m "$1")
obj=$2
[ -e "$obj/arch/arm64/boot/Image" ] || die "no kernel in $obj: run make"
[ -x "$BUSYBOX" ] || die "no busybox at $BUSYBOX: run make setup"
command -v cpio >/dev/null || die "no cpio: run make setup"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
mkdir -p "$root/bin" "$root/lib/modules" "$(dirname "$out")"
cp "$REPO/scripts/guest/init" "$root/init"
cp "$BUSYBOX" "$root/bin/busybox"
make -s -C "$REPO/tools/testing/pkvm-smmu/edu" \
	CROSS_COMPILE="$CROSS" OUT="$root/bin"

# The kernel's own, for what it measures
"${CROSS}gcc" -O2 -static -D_GNU_SOURCE -idirafter "$KSRC/include/uapi" \
	-o "$root/bin/dma_map_benchmark" "$KSRC/tools/dma/dma_map_benchmark.c"

# They need the kernel's headers, and only mean something with the series.
if [ "$obj" = "$OBJ_SERIES" ]; then
	selftest() {
		make -s -C "$WHOLE/tools/testing/selftests/$1" ARCH=arm64 \
			CROSS_COMPILE="$CROSS" OUTPUT="$tmp/$1" \
			KHDR_INCLUDES="-isystem $OBJ_SERIES/usr/include" \
			CPPFLAGS="-I$CACHE/uuid/include" \
			EXTRA_CFLAGS="-static -L$CACHE/uuid" all
		find "$tmp/$1" -maxdepth 1 -type f -name '*_test' -exec cp {} "$root/bin/" ';'
	}
	mkdir "$tmp/pkvm_smmu" "$tmp/vfio"
	selftest pkvm_smmu
	selftest vfio
fi

# Comes before all tests, if it is a module.
find "$obj/drivers/iommu/arm/arm-smmu-v3" -name arm_smmu_v3.ko -exec cp {} "$root/lib/" ';'
find "$obj/drivers/iommu" -name '*test.ko' -exec cp {} "$root/lib/modules/" ';'

(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$tmp/cpio"
gzip -1 <"$tmp/cpio" >"$out.tmp"
mv "$out.tmp" "$out"
