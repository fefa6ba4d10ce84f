#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Error codes: gx/ec-codes.h (ec names) and the table of names and texts.

A name is every ec alias of the tables, or "ec" and the specification's name where that is free.
"""
import re
import facts

KINDS = ("error", "additional", "mapi", "property", "warning", "logon", "jet", "jet_warning")


def ordered(top):
    return sorted(facts.rows(top, "errors"), key=lambda r: (r["value"], KINDS.index(r["kind"])))


def spec_name(row):
    """Names of store and protocol codes start with ec, database codes keep theirs."""
    if not row["name"]:
        return ""
    return row["name"] if row["kind"].startswith("jet") else "ec" + row["name"]


def names(row):
    out = [n for n in row["ec_alias"].split(",") if n]
    return out or [n for n in (spec_name(row), row["mapi_alias"].split(",")[0]) if n][:1]


def constants(top):
    out = {"ecSuccess": "0x00000000"}
    for row in ordered(top):
        for name in names(row):
            out.setdefault(name, row["value"])
    for row in ordered(top):
        if spec_name(row):
            out.setdefault(spec_name(row), row["value"])
    return out


def codes_h(top):
    out = "".join(f"#define {n} {v}U\n" for n, v in sorted(constants(top).items(), key=lambda x: (x[1], x[0])))
    return facts.header("GX_EC_CODES_H", "facts/errors.tsv", out)


def words(name):
    """FXBufferOverrun -> "FX buffer overrun"."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    parts = [p if len(p) > 1 and p.isupper() else p.lower() for p in parts]
    text = " ".join(parts)
    return text[:1].upper() + text[1:] + "."


def text(row, texts):
    if row["value"] in texts:
        return texts[row["value"]]
    if row["name"]:
        return words(row["name"])
    name = re.sub(r"^(MAPI|SYNC|STG)_[EW]_", "", row["mapi_alias"].split(",")[0])
    return name.replace("_", " ").capitalize() + "." if name else words(row["ec_alias"].removeprefix("ec"))


def table(top):
    texts = {r["value"]: r["text"] for r in facts.rows(top, "errortexts")}
    seen = {}
    for row in ordered(top):
        seen.setdefault(row["value"], row)
    out = "static const struct ec_row rows[] = {\n"
    for value, row in sorted(seen.items()):
        name = "ecSuccess" if int(value, 16) == 0 else names(row)[0]
        warning = int(row["kind"] in ("warning", "jet_warning") or "_W_" in row["mapi_alias"])
        out += f"\t{{{value}U, {warning}, {facts.c_str(name)}, {facts.c_str(text(row, texts))}}},\n"
    return facts.source("facts/errors.tsv", out + "};\n")


if __name__ == "__main__":
    facts.main({"ec-codes.h": codes_h, "ec-table.h": table})
