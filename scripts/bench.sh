#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Packs the file system, and measures: see bench.py.
set -eu
. "$(dirname "$0")/env.sh"

"$REPO/scripts/initramfs.sh" "$INITRAMFS-base-$KEY.cpio.gz" "$OBJ_BASE"
exec python3 -B "$REPO/scripts/bench.py"
