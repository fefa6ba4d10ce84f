# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154
# What ./run and ./check share: messages with the time taken, packages, building.
# The caller sets top (the source tree) and build_log.

gx_start=$SECONDS
say() {
	printf '[%3d s] %s\n' $((SECONDS - gx_start)) "$*"
}
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

build_packages="gcc make autoconf automake libtool pkg-config python3 libsqlite3-dev libzstd-dev nettle-dev
	libgnutls28-dev libevent-dev libjansson-dev libxml2-dev libicu-dev libcurl4-gnutls-dev libcrypt-dev libmariadb-dev openssl"

# install_packages NAME... : installs what is missing, by apt; as root or through sudo.
install_packages() {
	local missing=() p as_root=""
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	say "installing ${#missing[@]} packages: ${missing[*]}"
	command -v apt-get >/dev/null || die "this is no Debian system; install these by hand: ${missing[*]}"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "run once as root: apt-get install ${missing[*]}"
		as_root=sudo
	fi
	$as_root env DEBIAN_FRONTEND=noninteractive sh -c \
		'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"' sh "${missing[@]}" \
		>"$build_log" 2>&1 || { tail -n 20 "$build_log" >&2; die "apt-get failed; the log is $build_log"; }
}

# quietly WHAT COMMAND... : runs it with the output in the log, shows the end of it on failure.
quietly() {
	local what=$1
	shift
	"$@" >>"$build_log" 2>&1 || {
		tail -n 40 "$build_log" >&2
		die "$what failed; the whole log is $build_log"
	}
}

make_configure() {
	if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ]; then
		say "making configure"
		quietly autogen "$top/autogen.sh"
	fi
}

# configure_in DIR CONFIGURE-OPTIONS... : when needed.
configure_in() {
	local dir=$1
	shift
	mkdir -p "$dir"
	if [ ! -f "$dir/Makefile" ] || [ "$top/configure" -nt "$dir/config.status" ]; then
		say "configuring in ${dir#"$top"/}"
		(cd "$dir" && quietly configure "$top/configure" -q "$@") || exit 1
	fi
}

# build DIR CONFIGURE-OPTIONS... : configure (when needed) and make in a directory of its own.
build() {
	local dir=$1
	make_configure
	configure_in "$@"
	say "building in ${dir#"$top"/}"
	quietly make make -C "$dir" -s -j"$(nproc)"
}
