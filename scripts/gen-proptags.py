#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Property tags: gx/proptag.h (PidTag names), gx/pr-names.h (PR_ names), and the lookup tables."""
import facts

ORIGIN = "facts/proptags.tsv and facts/proptags_extra.tsv"
# The type that a name gets when it has several: Unicode before 8-bit, single before multiple.
TYPE_ORDER = ("PtypString", "PtypMultipleString", "PtypString8", "PtypMultipleString8")


def rank(row):
    t = row["type"]
    return (not row.get("oxprops_section"), TYPE_ORDER.index(t) if t in TYPE_ORDER else len(TYPE_ORDER),
            row["tag"])


def canonical(top):
    """One row a name, the preferred one; in order of tag."""
    best = {}
    for row in sorted(facts.rows(top, "proptags"), key=rank):
        best.setdefault(row["name"], row)
    return sorted(best.values(), key=lambda r: (r["tag"], r["name"]))


def ansi(tag):
    kind = int(tag, 16) & 0xFFFF
    return f"0x{int(tag, 16) - 1:08X}" if kind in (0x001F, 0x101F) else tag


def aliases(top):
    """PR_ name to tag; the name without a suffix belongs to the row preferred by rank()."""
    out = {}
    for row in sorted(facts.rows(top, "proptags"), key=rank) + facts.rows(top, "proptags_extra"):
        for name in filter(None, row["alias"].split(",")):
            out.setdefault(name, ansi(row["tag"]) if name.endswith("_A") else row["tag"])
    return out


def define(name, tag):
    return f"#define {name} {tag}U\n"


def proptag_h(top):
    body = "".join(define(r["name"], r["tag"]) for r in canonical(top))
    return facts.header("GX_PROPTAG_H", "facts/proptags.tsv", body)


def pr_names_h(top):
    body = "".join(define(n, t) for n, t in sorted(aliases(top).items(), key=lambda x: (x[1], x[0])))
    return facts.header("GX_PR_NAMES_H", ORIGIN, body)


def main_alias(row):
    names = [n for n in row["alias"].split(",") if n]
    plain = [n for n in names if not n.endswith(("_A", "_W"))]
    return (plain or names or [""])[0]


def proptag_table(top):
    by_tag = {}
    for row in sorted(facts.rows(top, "proptags"), key=rank) + facts.rows(top, "proptags_extra"):
        by_tag.setdefault(row["tag"], (row.get("name", ""), main_alias(row)))
    names = {r["name"]: r["tag"] for r in canonical(top)}
    names.update(aliases(top))
    out = "static const struct tag_row by_tag[] = {\n"
    out += "".join(f"\t{{{t}U, {facts.c_opt(n)}, {facts.c_opt(a)}}},\n" for t, (n, a) in sorted(by_tag.items()))
    out += "};\n\nstatic const struct name_row by_name[] = {\n"
    out += "".join(f"\t{{{facts.c_str(n)}, {t}U}},\n" for n, t in sorted(names.items()))
    return facts.source(ORIGIN, out + "};\n")


if __name__ == "__main__":
    facts.main({"proptag.h": proptag_h, "pr-names.h": pr_names_h, "proptag-table.h": proptag_table})
