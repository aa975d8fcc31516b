#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# build.sh base|series: build the Image and the modules of the base kernel into
# $OBJ_BASE, or of the laid tree into $OBJ_SERIES.  KCONFIG_EXTRA=file adds to
# the configuration; OBJ=name keeps such a variant in object directories of its
# own.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/kbuild.sh"

case ${1-} in
base)   src=$KSRC obj=$OBJ_BASE ;;
series) src=$TREE obj=$OBJ_SERIES ;;
*)      die "usage: build.sh base|series" ;;
esac

lock "$1"
[ -z "${OBJ:-}" ] || begin_as "${obj%-"$OBJ"}" "$obj"
kconfig "$1" "$src" "$obj" "${KCONFIG_EXTRA:-}"
missing=$(kconfig_missing "$obj" | xargs)
[ -z "$missing" ] || die "the kernel's Kconfig does not give what scripts/kernel.config${KCONFIG_EXTRA:+, or $KCONFIG_EXTRA,} asks for: $missing"

# A whole kernel of this configuration; how much of one that is there already is
# built again, only make knows.
total=
[ -e "$obj/vmlinux" ] || total=1500

echo "$1: building in $obj"
[ "$1" = base ] || kmake "$src" "$obj" headers >"$obj/headers.log" 2>&1 ||
	die "the kernel's headers can't be installed; see $obj/headers.log"
kmake "$src" "$obj" Image modules 2>&1 | tee "$obj/build.log" | progress "$1" $total ||
	die "the $1 kernel does not build; see $obj/build.log"
