# SPDX-License-Identifier: GPL-2.0-only
# Where everything lives.  Sourced by every script here, and without side
# effects: it reads XDG_CACHE_HOME, KSRC, PART and OBJ and sets
#
#   REPO                  this checkout
#   CACHE                 all that is fetched or built
#   KSRC                  the base kernel source, never written to: what the user
#                         named with KSRC=, else the fetched linux-source-7.3
#   KEY                   names the base in the cache, so that trees don't mix
#   SERIES                what is built of the series, or of its parts up to PART
#   TREE                  the base with them applied
#   WHOLE                 the base with all of the series applied
#   OBJ_BASE, OBJ_SERIES  object directories of the two kernels (OBJ=name: those
#                         of a variant); the Image is arch/arm64/boot/Image
#   INITRAMFS, LOGS       the test machine's file systems (-base-$KEY.cpio.gz,
#                         -series-...), and the consoles of its boots
#   BUSYBOX               a static arm64 busybox
#   CROSS                 prefix of the arm64 compiler, empty on an arm64 machine
#
# and defines a few functions.

REPO=${REPO:-$(CDPATH='' cd "$(dirname "$0")/.." && pwd)}
CACHE=$(realpath -m "${XDG_CACHE_HOME:-$HOME/.cache}/pkvm-smmu")

if [ "${KSRC:-$CACHE/src/linux-source-7.3}" = "$CACHE/src/linux-source-7.3" ]; then
	KSRC=$CACHE/src/linux-source-7.3
	KEY=7.3
else
	KSRC=$(realpath -m "$KSRC")
	KEY=$(printf %s "$KSRC" | sha256sum | cut -c1-10)
fi

# All sources are src/linux-source-7.3 beside the object directory: seen from
# there they have the same path, so that ccache knows a file that it has compiled
# for one kernel when it comes by in another.
case ${PART:-} in
"" | tests)      part= ;;
core | features) part=-$PART ;;
*)               echo "error: PART=$PART: core, features or tests" >&2; exit 1 ;;
esac
SERIES=$CACHE/series$part-$KEY
TREE=$SERIES/src/linux-source-7.3
WHOLE=$CACHE/series-$KEY/src/linux-source-7.3
OBJ_BASE=$CACHE/obj-base${OBJ:+-$OBJ}-$KEY
OBJ_SERIES=$SERIES/obj${OBJ:+-$OBJ}
INITRAMFS=$CACHE/initramfs$part
LOGS=$CACHE/logs$part
BUSYBOX=$CACHE/busybox

case $(uname -m) in
aarch64) CROSS= ;;
*)       CROSS=aarch64-linux-gnu- ;;
esac

export REPO CACHE KSRC KEY SERIES TREE WHOLE OBJ_BASE OBJ_SERIES INITRAMFS LOGS BUSYBOX CROSS

die() { echo "error: $*" >&2; exit 1; }

case ${OBJ:-} in *[!A-Za-z0-9._-]*) die "OBJ=$OBJ: letters, digits, '.', '_' and '-'" ;; esac
[ -z "${KCONFIG_EXTRA:-}" ] || [ -r "$KCONFIG_EXTRA" ] ||
	die "KCONFIG_EXTRA=$KCONFIG_EXTRA cannot be read"

# lock NAME: wait until no other script has that part of the cache for this base,
# and keep it until this one ends.
lock() {
	mkdir -p "$CACHE/lock"
	exec 9>"$CACHE/lock/$1-$KEY"
	flock -n 9 || { echo "waiting for another run to finish" >&2; flock 9; }
}
