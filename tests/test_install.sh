#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make install DESTDIR, then an embedder's day: pkg-config, compile, link, run; symbols and man pages.
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
echo 1..10
n=0
step() { # NAME COMMAND...
	n=$((n + 1))
	name=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then echo "ok $n - $name"; else tail -n 30 "$tmp/out" | sed 's/^/# /'; echo "not ok $n - $name"; fi
}
prefix=$(sed -n 's/^prefix = //p' "$top_builddir/Makefile")
libdir=$root$prefix/lib
flags() {
	PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config "$@"
}
step "make install DESTDIR" make -C "$top_builddir" -s install DESTDIR="$root"

sanitizers=$(sed -n 's/^GX_SAN = //p' "$top_builddir/Makefile")
cc=$(sed -n 's/^CC = //p' "$top_builddir/Makefile")
compile() { # EXAMPLE LIBRARY
	$cc -std=c11 -Wall -Wextra -Werror $sanitizers $(flags --cflags "$2") "$top_srcdir/examples/$1.c" \
		-o "$tmp/$1" $(flags --libs "$2") -Wl,-rpath-link,"$libdir"
}
step "the example builds against what was installed" compile embed libgxstore
run_example() {
	LD_LIBRARY_PATH=$libdir "$tmp/embed" "$tmp/box" | grep -q "No server was involved"
}
step "the example runs" run_example
step "so does that of a MAPI client" compile mapi libgxproto
others() {
	compile values libgxmapi && LD_LIBRARY_PATH=$libdir "$tmp/values" | grep -qx matches || return 1
	compile mail libgxmail || return 1
	sample=$top_srcdir/data/samples/2-html-and-picture.eml
	LD_LIBRARY_PATH=$libdir "$tmp/mail" <"$sample" | grep -q 'PidTagAttachFilename = "dot.png"' || return 1
	LD_LIBRARY_PATH=$libdir "$tmp/mail" -w <"$sample" | grep -q '^Content-Type: image/png'
}
step "values and the converter work alone" others

exported() {
	for l in mapi mail store proto; do
		nm -D --defined-only --with-symbol-versions "$libdir/libgx$l.so" | awk '$2 ~ /[TDRB]/ {sub(/@.*/, "", $3); print $3}' |
			grep '^gx_' | sort >"$tmp/have"
		sed -n 's/^\t\t\(gx_.*\);$/\1/p' "$top_srcdir/libgx$l/libgx$l.map" | sort >"$tmp/want"
		diff "$tmp/want" "$tmp/have" || { echo "libgx$l: exported symbols and version script differ"; return 1; }
		nm -D --defined-only "$libdir/libgx$l.so" | awk '$2 ~ /[TDRB]/ {print $3}' | grep -vE '^(gx_|GX)' && return 1
	done
	return 0
}
step "exactly the listed symbols are exported" exported
step "version scripts follow the headers" python3 "$top_srcdir/scripts/update-symbols.py" --check "$top_srcdir"
programs() {
	bad=0
	for p in "$root$prefix"/bin/* "$root$prefix"/sbin/* "$root$prefix"/libexec/gromox/*; do
		[ -x "$p" ] || continue
		LD_LIBRARY_PATH=$libdir "$p" --help >"$tmp/help" 2>&1 || { echo "$p --help fails"; cat "$tmp/help"; bad=1; }
		LD_LIBRARY_PATH=$libdir "$p" --version >"$tmp/ver" 2>&1 || { echo "$p --version fails"; bad=1; }
		ls "$root$prefix"/share/man/man[178]/"$(basename "$p")".* >/dev/null 2>&1 || { echo "$p has no man page"; bad=1; }
	done
	if command -v mandoc >/dev/null; then
		for m in "$root$prefix"/share/man/man*/*; do
			mandoc -Tlint -Wwarning "$m" | grep -v 'STYLE:' && bad=1
		done
	fi
	return $bad
}
step "programs have --help, --version and a clean man page" programs

shipped() {
	git -C "$top_srcdir" ls-files >"$tmp/tracked" 2>/dev/null || return 0 # this is no checkout
	printf 'include Makefile\n$(info $(DISTFILES))\ngx-nothing:\n\t@:\n' | make -C "$top_builddir" -s -f - gx-nothing |
		tr ' ' '\n' | sed "s,^$top_srcdir/,,; s,^\(\.\./\)*,," >"$tmp/dist"
	awk 'NR == FNR { have[$0]; next }
		/(^|\/)\./ || $0 == "check" { next }
		{ for (f = $0; f != "" && !(f in have); ) if (!sub("/[^/]*$", "", f)) f = ""
		  if (f == "") print "not in the tarball: " $0 }' "$tmp/dist" "$tmp/tracked" >"$tmp/lost"
	cat "$tmp/lost"
	[ ! -s "$tmp/lost" ]
}
step "make dist takes everything that is tracked" shipped
uninstall() {
	make -C "$top_builddir" -s uninstall DESTDIR="$root" || return 1
	find "$root" ! -type d >"$tmp/rest"
	cat "$tmp/rest"
	[ ! -s "$tmp/rest" ]
}
step "make uninstall leaves nothing" uninstall
