#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes libgxmapi/codepage-table.h: code pages, their MIME names, and tables of the single-byte ones.

usage: gen-codepages.py FACTSDIR > codepage-table.h
"""
import csv
import os
import sys

SAMPLE_TRAILS = (0x30, 0x40, 0x41, 0x81, 0xA1, 0xB0, 0xD0)
NOT_TABLES = ("utf", "iso2022", "hz", "ascii")


def rows(facts, name):
    with open(os.path.join(facts, name), encoding="utf-8", newline="") as f:
        yield from csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)


def normal(name):
    """Charset names are compared by their letters and digits alone."""
    return "".join(c for c in name.lower() if c.isalnum())


def decode(codec, data):
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def table(codec):
    """256 code points of a single-byte code page, or None."""
    if codec == "-" or codec.startswith(NOT_TABLES):
        return None
    for lead in range(0x80, 0x100):
        if any(len(decode(codec, bytes((lead, t))) or "xx") == 1 for t in SAMPLE_TRAILS):
            return None
    return [ord(decode(codec, bytes((b,))) or "\ufffd") for b in range(256)]


def c_string(s):
    return "NULL" if s == "-" else '"%s"' % s


def main():
    facts = sys.argv[1]
    pages = {}  # the extra rows come later and win
    for name in ("codepages.tsv", "codepages_extra.tsv"):
        pages.update((int(r["codepage"]), r) for r in rows(facts, name))
    pages = [pages[cp] for cp in sorted(pages)]
    print("/* Made by scripts/gen-codepages.py from facts/codepages*.tsv and facts/charset_aliases.tsv. */")
    tables, index = [], {}
    for r in pages:
        t = table(r["python_codec"])
        if t is not None:
            index[r["codepage"]] = len(tables)
            tables.append(t)
    print("static const uint16_t single_byte[%d][256] = {" % len(tables))
    for t in tables:
        print("\t{" + ", ".join("%d" % c for c in t) + "},")
    print("};")
    print("static const struct gx_cp__page pages[] = {")
    for r in pages:
        t = index.get(r["codepage"])
        print("\t{%s, %s, %s, %s}," % (r["codepage"], c_string(r["charset"]), c_string(r["iconv"]),
                                       "NULL" if t is None else "single_byte[%d]" % t))
    print("};")

    names = {}
    for r in rows(facts, "charset_aliases.tsv"):
        names.setdefault(normal(r["alias"]), r["codepage"])
    for column in ("charset", "iconv"):
        for r in pages:
            if r[column] != "-":
                names.setdefault(normal(r[column]), r["codepage"])
    print("static const struct charset_name names[] = {")
    for n in sorted(names):
        print('\t{"%s", %s},' % (n, names[n]))
    print("};")


main()
