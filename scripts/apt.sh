# SPDX-License-Identifier: GPL-2.0-only
# Private views of the Debian archive, for packages that the machine's own
# sources don't offer.  Sourced after env.sh.  Nothing here reads or writes the
# machine's package lists: a view has its sources and lists in $CACHE/apt/NAME.

debian_codename() { . /etc/os-release; echo "${VERSION_CODENAME:-}"; }

# shellcheck disable=SC2016 # $(...) is for apt
# The mirror that this machine's apt is set up to use.
debian_mirror() {
	local codename mirror
	codename=$(debian_codename)
	mirror=$(apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
		awk -v c="$codename" '$1 == "Debian" && ($2 == c || $2 == "stable") { print $3; exit }')
	# A machine that never ran apt-get update knows no origins yet.
	[ -n "$mirror" ] || mirror=$(apt-get indextargets --no-release-info \
		--format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		awk -v c="$codename" '($1 == c || $1 == "stable") && $2 == "main" { print $3; exit }')
	[ -n "$mirror" ] || die "apt has no Debian mirror for '$codename' (main) in its sources: add one and run apt-get update"
	echo "$mirror"
}

# apt_view NAME ARCH SUITE...: make or refresh a view of the suites and leave
# the options that make apt-get use it in the array APT.  ARCH is "native" or
# another architecture to download packages of.
apt_view() {
	local dir=$CACHE/apt/$1 arch=$2 mirror suite
	shift 2
	mirror=$(debian_mirror)
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	for suite; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
	done >"$dir/sources.list"

	APT=(-q -oDir::Etc::SourceList="$dir/sources.list" -oDir::Etc::SourceParts=/dev/null
		-oDir::State::Lists="$dir/lists" -oDir::Cache::pkgcache= -oDir::Cache::srcpkgcache=
		-oAcquire::Languages=none -oAcquire::Retries=3 -oAPT::Update::Error-Mode=any)
	[ "$arch" = native ] || APT+=(-oAPT::Architecture="$arch" -oAPT::Architectures="$arch")
	# As root apt would drop to a user who may not enter this directory.
	[ "$(id -u)" != 0 ] || APT+=(-oAPT::Sandbox::User=root)

	apt-get "${APT[@]}" -oDir::Cache="$dir/cache" update >"$dir/log" 2>&1 ||
		die "cannot reach the Debian archive (suites $*): $(grep -m1 '^[EW]:' "$dir/log"); check the network and run again"
}

# apt_fetch DIR PACKAGE: download one package through the view in APT, and leave
# its name in the variable DEB.
apt_fetch() {
	(cd "$1" && apt-get "${APT[@]}" -oDir::Cache="$1" download "$2" >log 2>&1) ||
		die "download of $2 failed: $(grep -m1 '^E:' "$1/log"); check the network and run again"
	# shellcheck disable=SC2034 # for the caller
	DEB=$(echo "$1/$2"_*.deb)
}

# apt_unpack DIR PACKAGE...: download packages through the view in APT, and unpack
# them into DIR/root.
apt_unpack() {
	local dir=$1 deb
	shift
	rm -rf "$dir/debs"
	mkdir "$dir/debs"
	(cd "$dir/debs" && apt-get "${APT[@]}" -oDir::Cache="$dir" download "$@" >"$dir/log" 2>&1) ||
		die "download of $* failed: $(grep -m1 '^E:' "$dir/log"); check the network and run again"
	for deb in "$dir"/debs/*.deb; do
		dpkg-deb -x "$deb" "$dir/root" || die "cannot unpack ${deb##*/}: is $CACHE on a full disk?"
	done
}

# apt_version PACKAGE [OPTION...]: the version that apt would install, or nothing.
apt_version() {
	apt-cache "${@:2}" policy "$1" | sed -n 's/^  Candidate: \([^(].*\)/\1/p'
}
