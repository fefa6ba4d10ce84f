#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Letters without their marks, for FL_IGNORENONSPACE: what Unicode's decompositions say.

Ranges of nonspacing marks, and pairs of a composed letter and its base. Decompositions never
change once assigned, so the table does not depend on the Python that makes it; characters above
U+FFFF are left out.
"""
import unicodedata
import facts


def is_mark(c):
    return unicodedata.category(chr(c)) == "Mn"


def base(c):
    text = unicodedata.normalize("NFD", chr(c))
    if len(text) < 2 or not all(is_mark(ord(x)) for x in text[1:]):
        return 0
    return 0 if is_mark(ord(text[0])) else ord(text[0])


def unibase(_top):
    ranges = []
    for c in range(0x300, 0xFFFF):
        if not is_mark(c):
            continue
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    pairs = [(c, base(c)) for c in range(0x80, 0xFFFF) if not 0xD800 <= c < 0xE000 and base(c)]
    out = "static const uint16_t marks[][2] = {\n"
    out += "".join(f"\t{{0x{a:04x}, 0x{b:04x}}},\n" for a, b in ranges)
    out += "};\n\nstatic const uint16_t bases[][2] = {\n"
    out += "".join(f"\t{{0x{c:04x}, 0x{b:04x}}},\n" for c, b in pairs)
    return facts.source("Unicode's canonical decompositions", out + "};\n")


if __name__ == "__main__":
    facts.main({"unibase-table.h": unibase})
