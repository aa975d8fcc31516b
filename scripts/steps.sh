# SPDX-License-Identifier: GPL-2.0-only
# What is in patches/ and in the checkout.  Sourced after env.sh; the format of
# a step is described in README.md.

# The patches, in order.
steps() {
	local patch
	grep -v '^#' "$REPO/patches/series" | while read -r patch; do
		[ -e "$REPO/patches/$patch" ] || die "patches/series names $patch, which is not in patches/"
		echo "$patch"
	done
}

# The diff of one, which may be empty.
step_diff() { sed '1,/^---$/d' "$REPO/patches/$1"; }

# The new files that the steps claim with "Adds: path" lines.
claimed() {
	local patch
	for patch in $(steps); do
		sed -n '/^---$/q; s/^Adds: //p' "$REPO/patches/$patch"
	done
}

# The new files that are there.
new_files() {
	git -C "$REPO" ls-files -co --exclude-standard --deduplicate -- \
		arch drivers include tools Documentation |
		while read -r path; do [ ! -f "$REPO/$path" ] || echo "$path"; done
}
