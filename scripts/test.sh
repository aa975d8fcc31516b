#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs all tests; T=name only the scenario of that name or, if there is none,
# all with that in their name. See test.py for what they are.
set -eu
. "$(dirname "$0")/env.sh"
# The variant that "make debug" builds
OBJ_DEBUG=$CACHE/series-$KEY/obj-debug
export OBJ_DEBUG

"$REPO/scripts/initramfs.sh" "$CACHE/initramfs-base-$KEY.cpio.gz" "$OBJ_BASE"
"$REPO/scripts/initramfs.sh" "$CACHE/initramfs-series-$KEY.cpio.gz" "$OBJ_SERIES"
OBJ=debug "$REPO/scripts/initramfs.sh" "$CACHE/initramfs-debug-$KEY.cpio.gz" "$OBJ_DEBUG"
exec python3 -B "$REPO/scripts/test.py"
