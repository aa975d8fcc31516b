#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Boots the series' kernel once and shows what it is for: EL2 owns the SMMU,
# the host's disks work, and a device that the host points at the hypervisor's
# memory is stopped. With BASE=1 the same on the unmodified kernel, where it is
# not. Exit status 0 if and only if what was expected came true.
set -eu
. "$(dirname "$0")/env.sh"

if [ "${BASE:-}" ]; then
	which=base obj=$OBJ_BASE expect=leak
	echo "The unmodified kernel with pKVM: EL2 keeps the host's CPUs out of its memory."
else
	which=series obj=$OBJ_SERIES expect=block
	echo "The series with pKVM: EL2 keeps the host's CPUs and devices out of its memory."
fi
image=$obj/arch/arm64/boot/Image
initramfs=$INITRAMFS-$which-$KEY.cpio.gz
"$REPO/scripts/initramfs.sh" "$initramfs" "$obj"
mkdir -p "$LOGS"
log=$LOGS/run-$which.log

status=0
"$REPO/scripts/boot.py" "$image" "$initramfs" \
	hvhe,up,io,event,attack-hyp,self --expect "$expect" --log "$log" \
	--append "kvm-arm.mode=protected iommu.passthrough=1 ${APPEND:-}" || status=$?
case $status in
0)
	if [ "$expect" = leak ]; then
		echo "As expected: any device reads and writes the hypervisor's memory."
	else
		echo "As expected: no device gets at the hypervisor's memory, and all else works."
	fi ;;
1)
	echo "NOT as expected." ;;
*)
	exit "$status" ;;
esac
echo "The machine's console is in $log"
exit "$status"
