#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Have the model checker CBMC at $CACHE/cbmc/cbmc, and print that. It is Debian 13's,
# with the libraries that it wants beside it, so that it runs on Debian 12 as well; a
# cbmc in PATH is not used, as versions differ in what they take. Fetches once.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$(dirname "$0")/apt.sh"

dir=$CACHE/cbmc
lock cbmc
if [ ! -x "$dir/cbmc" ]; then
	echo "fetch: downloading cbmc (22 MB) from trixie" >&2
	tmp=$(mktemp -d "$CACHE/fetch.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	apt_view cbmc native trixie
	apt_unpack "$tmp" cbmc libc6 libgcc-s1 libstdc++6 minisat zlib1g
	mkdir "$tmp/new"
	mv "$tmp/root" "$tmp/new"
	loader=$(cd "$tmp/new/root" && find usr -name 'ld-linux-*.so.*' | head -1)
	libs=$(cd "$tmp/new/root" && dirname "$(find usr -name 'libc.so.6')")
	if [ -z "$loader" ] || [ -z "$libs" ]; then
		die "the packages of cbmc are not as expected"
	fi
	cat >"$tmp/new/cbmc" <<-EOF
		#!/bin/sh
		root=\$(dirname "\$0")/root
		exec "\$root/$loader" --library-path "\$root/$libs:\$root/usr/lib" "\$root/usr/bin/cbmc" "\$@"
	EOF
	chmod +x "$tmp/new/cbmc"
	"$tmp/new/cbmc" --version >/dev/null || die "cbmc does not run here"
	rm -rf "$dir"
	mv "$tmp/new" "$dir"
fi
echo "$dir/cbmc"
