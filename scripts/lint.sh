#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Check the style of the series and of the tools: checkpatch --strict on every
# mail and every new file, kernel-doc and sparse on the new files, docutils' view
# of the documentation, python's and (if installed) shellcheck's of the scripts.
# What lint.allow does not explain is printed and makes this fail; else the last
# line is "lint: clean".
set -euo pipefail
unset PART
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/kbuild.sh"
export PYTHONDONTWRITEBYTECODE=1

lock lint
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$REPO"
python3 scripts/series.py files >"$tmp/new"

# All of these print one line a problem, and nothing else.

scripts() {
	local f
	for f in scripts/*.py verification/*.py; do
		python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$f" 2>&1 | tail -1
	done
	! command -v shellcheck >/dev/null ||
		shellcheck -x -s bash -P SCRIPTDIR -f gcc .ci/run scripts/*.sh || :
}

documentation() {
	local f
	grep '\.rst$' "$tmp/new" | while read -r f; do
		rst2html --report=2 "$f" /dev/null 2>&1 | grep . || :
	done
}

# checkpatch_one FILE COMMAND...: what the command says of the file.  It is slow,
# so results are kept, by content.
checkpatch_one() {
	local file=$1 kept
	shift
	kept=$SERIES/lint/$({ cat "$file"; echo "$file" "$@"; } | sha256sum | cut -c1-32)
	if [ ! -e "$kept" ]; then
		"$@" "$file" >"$kept.tmp" || [ $? = 1 ] || return	# 1: it found something
		mv "$kept.tmp" "$kept"
	fi
	cat "$kept"
}
export -f checkpatch_one

checkpatch() {
	# Whoever sends the mails signs them off.
	local ignore=MISSING_SIGN_OFF,NO_AUTHOR_SIGN_OFF
	# The entry in MAINTAINERS comes with one patch and covers them all.
	! grep -q '^+++ b/MAINTAINERS' patches/*/*.patch || ignore=$ignore,FILE_PATH_CHANGES
	set -- "$TREE/scripts/checkpatch.pl" --root="$TREE" --strict --terse --show-types --no-summary --ignore="$ignore"
	# From within the tree, where the paths of new files are the kernel's.
	cd "$TREE"
	mkdir -p "$SERIES/lint"
	printf '%s\n' "$REPO"/patches/*/*.patch |
		xargs -I{} -P "$jobs" bash -c 'checkpatch_one "$@"' - {} "$@"
	{ cat "$tmp/new"; git -C "$REPO" ls-files "$REPO/verification/*.[chS]" "$REPO/verification/*.py" |
		sed "s,^,$REPO/,"; } |
		xargs -I{} -P "$jobs" bash -c 'checkpatch_one "$@"' - {} "$@" --file
	rm -f .checkpatch-camelcase.*
}

kernel_doc() {
	cd "$TREE"
	grep '\.[ch]$' "$tmp/new" | xargs -r tools/docs/kernel-doc -none 2>&1 || :
}

# The directories whose Makefiles the series touches, compiled apart, with
# sparse on what they made from a new file.
sparse() {
	local obj=$SERIES/obj-sparse dirs object
	dirs=$(sed -n 's,^+++ b/,,p' patches/*/*.patch |
		sed -nE 's,^((arch|drivers)/.*/)(Makefile|Kbuild)$,\1,p' | sort -u)
	[ -n "$dirs" ] || return 0
	begin_as "$OBJ_SERIES" "$obj"
	[ -e "$obj" ] || echo "lint: preparing for sparse (a minute, once)" >&3
	kconfig series "$TREE" "$obj"
	# Compile these anew, since sparse looks only at what is being compiled.
	sed 's,.*,^source_.*/&$,' "$tmp/new" >"$tmp/sources"
	find "$obj" -name '.*.o.cmd' -exec grep -lE -f "$tmp/sources" {} + |
		while read -r cmd; do
			object=${cmd##*/.}
			rm -f "${cmd%/*}/${object%.cmd}"
		done || :
	# Debian's sparse does not know __typeof_unqual__, and kbuild would skip it.
	# shellcheck disable=SC2086 # a list of directories
	kmake "$TREE" "$obj" -k C=1 CHECK="sparse -D__typeof_unqual__=__typeof__" $dirs >"$tmp/sparse" 2>&1 ||
		echo "the new objects do not compile: $(grep -m1 'error: ' "$tmp/sparse")"
	! grep 'specified, but' "$tmp/sparse" || return 0
	grep -E '(warning|error): ' "$tmp/sparse" | grep -F -f "$tmp/new" | sort -u || :
}

exec 3>&2
{
	scripts
	documentation
	(checkpatch)
	(kernel_doc)
	# Who writes which field
	python3 -B scripts/rooms.py drivers/iommu/arm/arm-smmu-v3/pkvm/*.c || :
	sparse
} >"$tmp/found"
sed -i "s,$REPO/,,g; s,$TREE/,,g" "$tmp/found"

while IFS=$'\t' read -r pattern reason; do
	case $pattern in ''|'#'*) continue ;; esac
	[ -n "$reason" ] || echo "scripts/lint.allow: no reason given for: $pattern" >>"$tmp/found"
	grep -vE -- "$pattern" "$tmp/found" >"$tmp/rest" || :
	mv "$tmp/rest" "$tmp/found"
done <scripts/lint.allow

[ ! -s "$tmp/found" ] || { cat "$tmp/found"; die "lint: $(wc -l <"$tmp/found") problems"; }
echo "lint: clean"
