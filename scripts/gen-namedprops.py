#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Named properties: gx/namedprop-ids.h (PidLid and PidName constants) and the lookup tables.

PidLidX is the LID and PidNameX the string; X_SET initialises the property set's GUID and X_TYPE
is the type.
"""
import facts

ORIGIN = "facts/namedprops.tsv"


def set_init(row):
    return f"{row['set']}_INIT" if row["set"] else facts.guid_init(row["set_guid"])


def ids_h(top):
    out = ""
    for row in sorted(facts.rows(top, "namedprops"), key=lambda r: r["name"]):
        key = f"{row['key']}U" if row["kind"] == "lid" else facts.c_str(row["key"])
        out += (f"#define {row['name']} {key}\n#define {row['name']}_SET {set_init(row)}\n"
                f"#define {row['name']}_TYPE {row['type'] or 'PtypUnspecified'}\n")
    return facts.header("GX_NAMEDPROP_IDS_H", ORIGIN, out, ["gx/guids.h"])


def guid_key(text):
    return [int(x, 16) for x in text.split("-")]


def fold(row):
    return row["key"].lower()


def entry(row, sets):
    lid, key = (f"{row['key']}U", "NULL") if row["kind"] == "lid" else ("0", facts.c_str(row["key"]))
    return (f"\t{{{facts.c_str(row['name'])}, &sets[{sets.index(row['set_guid'])}], {lid}, {key}, "
            f"{row['type'] or 'PtypUnspecified'}}},\n")


def table(top):
    """Rows in order of name, and indexes of the LID rows and the string rows in order of set and key."""
    rows = sorted(facts.rows(top, "namedprops"), key=lambda r: r["name"])
    sets = sorted({r["set_guid"] for r in rows}, key=guid_key)
    out = "static const struct gx_guid sets[] = {\n"
    out += "".join(f"\t{facts.guid_init(s)},\n" for s in sets)
    out += "};\n\nstatic const struct gx_named_info by_name[] = {\n"
    out += "".join(entry(r, sets) for r in rows) + "};\n"
    for label, kind, key in (("by_lid", "lid", lambda r: int(r["key"], 16)), ("by_key", "name", fold)):
        index = sorted((i for i, r in enumerate(rows) if r["kind"] == kind),
                       key=lambda i: (guid_key(rows[i]["set_guid"]), key(rows[i]), i))
        out += f"\nstatic const uint16_t {label}[] = {{\n"
        out += "".join(f"\t{i},\n" for i in index) + "};\n"
    return facts.source(ORIGIN, out)


if __name__ == "__main__":
    facts.main({"namedprop-ids.h": ids_h, "namedprop-table.h": table})
