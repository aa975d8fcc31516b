#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Lay the series tree: make $TREE a copy of $KSRC with the new files of this
# checkout and the diffs of patches/series.  A patch that does not apply leaves
# $TREE as it was.  A second run writes only to files whose content changed, so
# that the kernel rebuild that follows is short; what the series no longer
# touches goes back to what the base has.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/steps.sh"
steps >/dev/null

manifest=$CACHE/series-$KEY/manifest	# paths in $TREE that are not the base's
lay=$CACHE/series-$KEY/lay		# scratch: just those files, as they shall be

lock series
rm -rf "$lay"
trap 'rm -rf "$lay"; rmdir --ignore-fail-on-non-empty "$CACHE/series-$KEY"' EXIT
mkdir -p "$lay"
cd "$REPO"

# The new files, then the files that the patches edit.
new_files >"$lay/.new"
while read -r path; do
	[ ! -e "$KSRC/$path" ] || die "$path is in the base already: KSRC= must be without the series, and a patch edit what is there"
done <"$lay/.new"
rsync -a --files-from="$lay/.new" ./ "$lay/"

for patch in $(steps); do
	step_diff "$patch" >"$lay/.diff"
	[ -s "$lay/.diff" ] || continue
	edited=$(git apply --numstat <"$lay/.diff" 2>&1 | cut -f3) ||
		die "patches/$patch is not a well-formed patch"
	for path in $edited; do
		if [ ! -e "$lay/$path" ] && [ -e "$KSRC/$path" ]; then
			mkdir -p "$lay/$(dirname "$path")"
			cp -p "$KSRC/$path" "$lay/$path"
		fi
	done
	# The ceiling keeps git from finding a repository around the cache.
	why=$(cd "$lay" && GIT_CEILING_DIRECTORIES=$CACHE git apply .diff 2>&1) ||
		die "patches/$patch does not apply to $KSRC: $(grep -m1 -o "patch failed:.*" <<<"$why" || echo "$why")"
done

comm -3 <(sort "$lay/.new") <(claimed | sort) | tr -d '\t' |
	sed 's/^/warning: new file and its "Adds:" line do not match up: /' >&2

# Nothing failed: change the tree.  Until it is done, the manifest names both
# what was and what will be, so that an interrupted run can be taken up.
rm -f "$lay/.new" "$lay/.diff"
mkdir -p "$TREE"
touch "$manifest"
(cd "$lay" && find . -type f | sed 's|^\./||' | sort) >"$manifest.new"
sort -u "$manifest" "$manifest.new" >"$manifest.all"
mv "$manifest.all" "$manifest"

[ -e "$TREE/Makefile" ] || echo "tree: copying the base to $TREE (1.8 GB, once)"
# --update: what was restored below is newer than the base's, and must stay so
# until the kernel has been rebuilt.
sed 's|^|/|' "$manifest" | rsync -aq --update --delete --exclude=/.git --exclude-from=- "$KSRC/" "$TREE/"

comm -23 "$manifest" "$manifest.new" | while read -r path; do
	if [ -e "$KSRC/$path" ]; then
		cmp -s "$KSRC/$path" "$TREE/$path" || cp "$KSRC/$path" "$TREE/$path"
	else
		rm -f "$TREE/$path"
	fi
done
rsync -rlp --checksum --out-format='tree: %n' "$lay/" "$TREE/" | grep -v '/$' || :
mv "$manifest.new" "$manifest"
