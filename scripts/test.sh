#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs all tests; T=name only the scenario of that name or, if there is none,
# all with that in their name. See test.py for what they are.
set -eu
. "$(dirname "$0")/env.sh"

"$REPO/scripts/initramfs.sh" "$CACHE/initramfs-base-$KEY.cpio.gz" "$OBJ_BASE"
"$REPO/scripts/initramfs.sh" "$CACHE/initramfs-series-$KEY.cpio.gz" "$OBJ_SERIES"
exec python3 -B "$REPO/scripts/test.py"
