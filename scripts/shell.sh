#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A prompt in the test machine, on this terminal; Ctrl-A X leaves. BASE=1 is
# the unmodified kernel, APPEND= more for the kernel's command line.
set -eu
. "$(dirname "$0")/env.sh"

which=series obj=$OBJ_SERIES
if [ "${BASE:-}" ]; then
	which=base obj=$OBJ_BASE
fi
image=$obj/arch/arm64/boot/Image
initramfs=$INITRAMFS-$which-$KEY.cpio.gz
"$REPO/scripts/initramfs.sh" "$initramfs" "$obj"

echo "Ctrl-A X leaves. To begin with: /bin/pkvm_dma_test, dmesg" >&2
exec "$REPO/scripts/boot.py" "$image" "$initramfs" shell \
	--append "kvm-arm.mode=protected iommu.passthrough=1 ${APPEND:-}"
