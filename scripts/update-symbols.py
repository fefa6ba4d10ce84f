#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the version scripts of the four libraries from the GX_API marks in include/gx.

usage: update-symbols.py [--check] TOP_SRCDIR

A function belongs to the library that lists its header in a Makefile.inc. With --check nothing is
written and the exit code says whether the scripts are in step with the headers.
"""
import re
import sys
from pathlib import Path

LIBS = ("mapi", "mail", "store", "proto")
DECL = re.compile(r"^GX_API\b[^;{]*?\b(gx_\w+)\s*(?:\(|\[)", re.M | re.S)


def headers_of(top, lib):
    text = "".join(f.read_text() for f in sorted((top / f"libgx{lib}").rglob("Makefile.inc")))
    return sorted(set(re.findall(r"include/gx/[\w.-]+\.h", text)))


def script(top, lib):
    names = set()
    for header in headers_of(top, lib):
        path = top / header
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S) if path.exists() else ""
        names.update(DECL.findall(text))
        generated = re.fullmatch(r"include/gx/(\w+)-types\.h", header)
        if generated:
            names.add(f"gx_{generated[1]}_desc")
            for word in re.findall(r"^(call|rop|exchange) ", (top / "defs" / f"{generated[1]}.def").read_text(), re.M):
                names.add(f"gx_{generated[1]}_{word}" + ("" if word == "exchange" else "_desc"))
    body = "".join(f"\t\t{n};\n" for n in sorted(names))
    glob = f"\tglobal:\n{body}" if names else ""
    return f"GX{lib.upper()}_1.0 {{\n{glob}\tlocal:\n\t\t*;\n}};\n"


def main(argv):
    check = "--check" in argv
    top = Path([a for a in argv if not a.startswith("--")][0])
    stale = []
    for lib in LIBS:
        path = top / f"libgx{lib}" / f"libgx{lib}.map"
        want = script(top, lib)
        if path.exists() and path.read_text() == want:
            continue
        stale.append(str(path))
        if not check:
            path.write_text(want)
    if check and stale:
        print("not in step with the headers (make update-symbols):", *stale)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
