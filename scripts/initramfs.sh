#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# initramfs.sh OUT.cpio.gz OBJDIR
#
# Packs what the test machine runs: busybox, guest/init, the selftests of the series,
# of the kernel built in OBJDIR the modules that are tests, and if it is one with the
# series, the selftests of VFIO.
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
cp "$REPO/scripts/report.sh" "$root/bin/"

# selftest DIRECTORY PROGRAM...: build these of the kernel's selftests, with its headers
selftest() {
	dir=$1
	shift
	mkdir -p "$tmp/$dir/tools"
	# shellcheck disable=SC2046,SC2086 # a prefix for each
	make -s -j"$(nproc)" -C "$WHOLE/tools/testing/selftests/$dir" ARCH=arm64 \
		CROSS_COMPILE="$CROSS" OUTPUT="$tmp/$dir" abs_objdir="$tmp/$dir" \
		KHDR_INCLUDES="-isystem $obj/usr/include" CPPFLAGS="-I$CACHE/uuid/include" \
		EXTRA_CFLAGS="-static -L$CACHE/uuid -Wl,--strip-debug" \
		$(printf "$tmp/$dir/%s " "$@") >"$tmp/log" 2>&1 ||
		{ cat "$tmp/log" >&2; die "the selftests of $dir do not build"; }
	for program; do
		cp "$tmp/$dir/$program" "$root/bin/"
	done
}

# They are of the series, and run on the base as well.
python3 -B "$REPO/scripts/series.py" tree
[ -e "$obj/usr/include/linux/kvm.h" ] ||
	make -s -C "$KSRC" O="$obj" ARCH=arm64 CROSS_COMPILE="$CROSS" headers >/dev/null
selftest kvm arm64/pkvm_dma_test arm64/pkvm_donate_test arm64/pkvm_smmu_test

# The kernel's own, for what it measures
"${CROSS}gcc" -O2 -static -D_GNU_SOURCE -idirafter "$KSRC/include/uapi" \
	-o "$root/bin/dma_map_benchmark" "$KSRC/tools/dma/dma_map_benchmark.c"

# The devices of these are behind an SMMU of EL2's.
if [ "$obj" = "$OBJ_SERIES" ]; then
	selftest vfio vfio_pci_device_test vfio_pci_driver_test vfio_dma_mapping_test \
		vfio_dma_mapping_mmio_test vfio_iommufd_setup_test
fi

# Comes before all tests, if it is a module.
find "$obj/drivers/iommu/arm/arm-smmu-v3" -name arm_smmu_v3.ko -exec cp {} "$root/lib/" ';'
find "$obj/drivers/iommu" -name '*test.ko' -exec cp {} "$root/lib/modules/" ';'

(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$tmp/cpio"
gzip -1 <"$tmp/cpio" >"$out.tmp"
mv "$out.tmp" "$out"
