#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Prove that each patch of the series compiles, with CONFIG_ARM_SMMU_V3_PKVM off
# and (from the patch that brings it) on, at W=1 without a warning that the base
# does not have; and that from that patch on the Image with the option off stays
# what it was before, to the byte.  Works on the branches that series.py made, in
# one worktree and one object directory for each configuration, so that a patch
# compiles only what it changed.  What has been proven is not built again.
#
# check-series.sh drop: revert the patches of each feature in drop.tsv from the end of
# the series; the rest compiles with the option on, and its unit tests pass.
set -euo pipefail
unset PART
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/kbuild.sh"

git=$CACHE/git-$KEY
dir=$CACHE/check-$KEY
pkvm=drivers/iommu/arm/arm-smmu-v3/pkvm
work=$dir/src/linux-source-7.3
mkdir -p "$dir/proven"
lock check

g() { git --git-dir="$git" "$@"; }
if [ ! -e "$work/Makefile" ]; then
	rm -rf "$work"
	g worktree prune
	g worktree add --quiet --detach "$work" base
fi
first=$(g rev-parse base) last=$(g rev-parse series)

# A stamp stands for all that a result depends on.
config=$(cat "$REPO"/scripts/{kernel.config,kbuild.sh,check-series.sh} <("${CROSS}gcc" --version) | sha256sum)
stamp() { echo "$dir/proven/$(echo "$*" "$config" | sha256sum | cut -c1-32)"; }
tree() { g rev-parse "$1^{tree}"; }

# Warnings, without the line numbers that every edit shifts.
warnings() { grep -i 'warning' "$1" | sed -E 's/:[0-9]+(:[0-9]+)?:/:/; s,^(\.\./)*src/linux-source-7.3/,,' | sort -u || :; }

# Line numbers are the one thing that an edit changes even where it compiles to
# nothing.  They are in the BUG tables and, as part of the names of initcalls,
# in kallsyms: do without both, to compare the rest.
printf '%s\n' CONFIG_EXPERT=y CONFIG_DEBUG_BUGVERBOSE=n CONFIG_KALLSYMS=n \
	CONFIG_KALLSYMS_ALL=n >"$dir/extra.config"

build() {	# off|on|drop COMMIT LABEL: leaves the log in $dir/on.log, ...
	local obj=$dir/$1 kind=base warn=W=1
	git -C "$work" checkout --quiet --detach --force "$2"
	# A run that was stopped or failed has compiled files whose warnings
	# nobody will see again.
	if [ -e "$dir/$1.pending" ]; then
		git -C "$work" diff --name-only --diff-filter=d "$first" HEAD | (cd "$work" && xargs -r touch)
	fi
	touch "$dir/$1.pending"
	[ "$1" = off ] || kind=series
	[ "$1" != drop ] || warn=
	# The option has no prompt before all parts are there: give it one.
	if [ "$1" != off ] && [ -e "$work/$pkvm/Kconfig" ]; then
		sed -i '/^config ARM_SMMU_V3_PKVM$/{n;s/^\tbool$/\tbool "check-series"/}' "$work/$pkvm/Kconfig"
	fi
	kconfig $kind "$work" "$obj" "$dir/extra.config"
	if [ "$1" != off ] && ! grep -qx CONFIG_ARM_SMMU_V3_PKVM=y "$obj/.config"; then
		die "$3: the option cannot be enabled"
	fi
	# Documentation comments are lint's business, and slow.
	# shellcheck disable=SC2086 # empty, or one word
	kmake "$work" "$obj" $warn KERNELDOC=/dev/null Image modules >"$dir/$1.log" 2>&1 ||
		die "$3 does not compile with the option ${1/drop/on}: $(grep -m1 -iE 'error|undefined' "$dir/$1.log"); see $dir/$1.log"
}

objects() { (cd "$dir/off" && find . -name '*.o' -print0 | xargs -0 sha256sum) | sort; }

drop() {	# FEATURE SUBJECT...
	local feature=$1 commits=() subject commit stamp
	shift
	for subject; do
		commit=$(g log --format='%H %s' "$first..$last" | awk -v s="$subject" \
			'substr($0, 42) == s { print $1 }')
		[ -n "$commit" ] || die "scripts/drop.tsv: no patch has the subject '$subject'"
		commits+=("$commit")
	done
	git -C "$work" checkout --quiet --detach --force "$last"
	# shellcheck disable=SC2046 # a list of commits, the last one first
	git -C "$work" -c user.name=series -c user.email=series@localhost revert --no-edit \
		$(g rev-list --topo-order "$first..$last" |
			grep -Fx -f <(printf '%s\n' "${commits[@]}")) >"$dir/revert.log" 2>&1 || {
		git -C "$work" revert --abort
		die "feature '$feature' cannot be reverted: $(grep -m1 CONFLICT "$dir/revert.log")"
	}
	commit=$(git -C "$work" rev-parse HEAD)
	stamp=$(stamp "$(tree "$commit")" drop "$(cd "$REPO" && git ls-files -s verification)")
	if [ ! -e "$stamp" ]; then
		build drop "$commit" "the series without $feature"
		make -s -C "$REPO/verification" SRC="$work" check >"$dir/drop-check.log" 2>&1 ||
			die "without '$feature' tests fail: $(grep -m1 -E '^not ok|error' "$dir/drop-check.log"); see $dir/drop-check.log"
		rm "$dir/drop.pending"
		touch "$stamp"
	fi
	echo "ok without $feature (${#commits[@]} patches reverted)"
}

if [ "${1:-}" = drop ]; then
	for feature in $(grep -v '^#' "$REPO/scripts/drop.tsv" | cut -f1 | uniq); do
		mapfile -t subjects < <(awk -F'\t' -v f="$feature" '$1 == f { print $2 }' "$REPO/scripts/drop.tsv")
		drop "$feature" "${subjects[@]}"
	done
	exit
fi

# The base: its warnings.
base=$dir/base-$(basename "$(stamp "$(tree "$first")")")
if [ ! -e "$base.warnings" ]; then
	echo "check-series: building the base (minutes, once)"
	rm -rf "$dir/off" "$dir/on" "$dir"/base-*
	build off "$first" 00
	warnings "$dir/off.log" >"$base.warnings"
	rm "$dir/off.pending"
fi

n=0 prepared=$first
for commit in $(g rev-list --reverse "$first..$last"); do
	n=$((n + 1))
	label="patch $(printf %02d $n) $(g log -1 --format=%s "$commit")"
	for option in off on; do
		if [ $option = on ] && ! g grep -q '^config ARM_SMMU_V3_PKVM$' "$commit" -- '*Kconfig'; then
			prepared=$commit
			continue
		fi
		stamp=$(stamp "$(tree "$commit")" $option "$(tree "$first")")
		if [ ! -e "$stamp" ]; then
			build $option "$commit" "$label"
			new=$(comm -23 <(warnings "$dir/$option.log") "$base.warnings")
			[ -z "$new" ] || die "$label: new warnings with the option $option:"$'\n'"$new"
			rm "$dir/$option.pending"
			touch "$stamp"
		fi
		echo "ok ${label#patch }, $option"
	done
done

stamp=$(stamp "$(tree "$last")" identical "$(tree "$prepared")")
if [ ! -e "$stamp" ]; then
	build off "$prepared" "before the option"
	cp "$dir/off/arch/arm64/boot/Image" "$dir/prepared.Image"
	objects >"$dir/prepared.objects"
	build off "$last" "$label"
	if ! cmp -s "$dir/prepared.Image" "$dir/off/arch/arm64/boot/Image"; then
		echo "With the option off these objects differ:" >&2
		objects | comm -13 "$dir/prepared.objects" - | sed 's/^[^ ]*  /  /' >&2
		die "with the option off the Image is not what it was before the option"
	fi
	rm "$dir/off.pending"
	touch "$stamp"
fi
echo "ok    with the option off, Image is to the byte what it was before the option"
