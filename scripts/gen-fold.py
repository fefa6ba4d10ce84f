#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes libgxmapi/fold-table.h: simple case folding (CaseFolding.txt, status C and S) of Unicode.

usage: gen-fold.py > fold-table.h
"""
import unicodedata

PAGE = 256


def fold(cp):
    c = chr(cp)
    for way in (c.casefold(), c.lower()):  # where full folding gives several characters, S is the lower case
        if len(way) == 1:
            return ord(way)
    return cp


def main():
    last = max(cp for cp in range(0x110000) if fold(cp) != cp)
    pages, index = [[0] * PAGE], []
    for first in range(0, last + 1, PAGE):
        page = [fold(cp) - cp for cp in range(first, first + PAGE)]
        if page not in pages:
            pages.append(page)
        index.append(pages.index(page))
    print("/* Made by scripts/gen-fold.py from Unicode %s. */" % unicodedata.unidata_version)
    print("#define FOLD_END 0x%x" % (len(index) * PAGE))
    print("static const uint8_t fold_index[] = {" + ", ".join(map(str, index)) + "};")
    print("static const int32_t fold_delta[][%d] = {" % PAGE)
    for p in pages:
        print("\t{" + ", ".join(map(str, p)) + "},")
    print("};")


main()
