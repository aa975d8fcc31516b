# SPDX-License-Identifier: GPL-2.0-only
# Where everything lives.  Sourced by every script here, and without side
# effects: it reads XDG_CACHE_HOME, KSRC and OBJ and sets
#
#   REPO                  this checkout
#   CACHE                 all that is fetched or built
#   KSRC                  the base kernel source, never written to: what the user
#                         named with KSRC=, else the fetched linux-source-7.3
#   KEY                   names the base in the cache, so that trees don't mix
#   TREE                  the base with the series applied
#   OBJ_BASE, OBJ_SERIES  object directories of the two kernels (OBJ=name: those
#                         of a variant); the Image is arch/arm64/boot/Image
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
TREE=$CACHE/series-$KEY/src/linux-source-7.3
OBJ_BASE=$CACHE/obj-base${OBJ:+-$OBJ}-$KEY
OBJ_SERIES=$CACHE/series-$KEY/obj${OBJ:+-$OBJ}
BUSYBOX=$CACHE/busybox

case $(uname -m) in
aarch64) CROSS= ;;
*)       CROSS=aarch64-linux-gnu- ;;
esac

export REPO CACHE KSRC KEY TREE OBJ_BASE OBJ_SERIES BUSYBOX CROSS

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
