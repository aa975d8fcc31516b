# SPDX-License-Identifier: GPL-2.0-only
# How kernels are configured and built here.  Sourced after env.sh.

jobs=$(nproc)

# kmake SRC OBJ ARG...: make in the object directory OBJ of the source SRC.
# Compilers go through a ccache of our own, paths relative to $CACHE; whose
# fixed names, times and versions make equal input give an equal Image.
kmake() {
	local src=$1 obj=$2
	shift 2
	# Not our own make's flags and jobs.
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u MAKEOVERRIDES \
		CCACHE_DIR="$CACHE/ccache" CCACHE_BASEDIR="$CACHE" CCACHE_NOHASHDIR=1 \
		LOCALVERSION= KBUILD_BUILD_VERSION=1 KBUILD_BUILD_USER=pkvm-smmu \
		KBUILD_BUILD_HOST=pkvm-smmu KBUILD_BUILD_TIMESTAMP='1970-01-01 00:00:00 UTC' \
		make -C "$src" O="$obj" ARCH=arm64 CROSS_COMPILE="$CROSS" \
		CC="ccache ${CROSS}gcc" HOSTCC="ccache gcc" -j"$jobs" "$@"
}

# begin_as OBJ NEW: if there is a kernel in OBJ, a new object directory of the same source
# begins as a copy of it, and only what is different is compiled.
begin_as() {
	if ! [ -e "$2" ] && [ -e "$1/vmlinux" ]; then
		rm -rf "$2.new"
		cp -a "$1" "$2.new"
		mv "$2.new" "$2"
	fi
}

# kconfig base|series SRC OBJ [FRAGMENT]: configure OBJ from kernel.config and
# the fragment.  An unchanged configuration keeps its time.
kconfig() {
	local kind=$1 src=$2 obj=$3
	mkdir -p "$obj"
	case $kind in
	base)   sed '/^# core$/,$d' "$REPO/scripts/kernel.config" ;;
	series)
		case ${PART:-} in
		core)     sed '/^# features$/,$d' "$REPO/scripts/kernel.config" ;;
		features) sed '/^# tests$/,$d' "$REPO/scripts/kernel.config" ;;
		*)        cat "$REPO/scripts/kernel.config" ;;
		esac ;;
	esac | cat - "${4:-/dev/null}" >"$obj/fragment"
	kmake "$src" "$obj" KCONFIG_ALLCONFIG="$obj/fragment" allnoconfig >"$obj/config.log" 2>&1 ||
		die "configuring $obj failed: $(grep -m1 -i error "$obj/config.log"); see $obj/config.log"
}

# kconfig_missing OBJ: what was asked for and is not in .config.  The last word
# on a symbol counts.
kconfig_missing() {
	tac "$1/fragment" |
		awk -F'[ =]' '/^CONFIG_/ && !seen[$1]++; /^# CONFIG_.* is not set/ { seen[$2]++ }' |
		grep -vxFf "$1/.config" || :
}

# progress NAME [TOTAL]: swallow the lines of a kernel build, say every 10 s how far
# it is, and pass on what is no ordinary line, such as a warning.
progress() {
	local n=0 last=$SECONDS line
	while IFS= read -r line; do
		case $line in
		"  "[A-Z]*)
			n=$((n + 1))
			((SECONDS - last < 10)) && continue
			last=$SECONDS
			echo "$1: $n${2:+ of about $2} files built" ;;
		make*": Entering directory "*|make*": Leaving directory "*|"") ;;
		*)	echo "$line" >&2 ;;
		esac
	done
	((n < 100)) || echo "$1: $n files built"
}
