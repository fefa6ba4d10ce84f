#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every installed header compiles alone, as C11 and as C++, under strict warnings.
inc="-I$top_builddir/include -I$top_srcdir/include"
set -- "$top_srcdir"/include/gx/*.h "$top_builddir"/include/gx/*.h
n=0
list=
for h; do
	[ -f "$h" ] || continue
	b=$(basename "$h")
	case " $list " in *" $b "*) continue ;; esac
	list="$list $b"
done
set -- $list
echo "1..$(($# * 2))"
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else sed 's/^/# /' "$tmp/err"; echo "not ok $n - $2"; fi
}
for h; do
	printf '#include <gx/%s>\n#include <gx/%s>\nint gx_test_dummy;\n' "$h" "$h" >"$tmp/t.c"
	${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Wstrict-prototypes -Werror $inc -fsyntax-only "$tmp/t.c" 2>"$tmp/err"
	result $? "$h as C11"
	cp "$tmp/t.c" "$tmp/t.cc"
	${CXX:-c++} -std=c++17 -Wall -Wextra -Werror $inc -fsyntax-only "$tmp/t.cc" 2>"$tmp/err"
	result $? "$h as C++"
done
